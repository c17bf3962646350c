"""A token that has expired, at the gateway; and a credential that is given nothing but expired tokens."""

import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential, DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from control import faults
from token_endpoint import CLIENT_ID, CLIENT_SECRET, TENANT_ID, ask_entra

faults([{"match": {"service": "entra"}, "token": {"expires_in": -600}}])
expired = ask_entra("https://storage.azure.com/.default")


class Fixed:
    def get_token(self, *_scopes, **_options):
        return AccessToken(expired, int(time.time()) + 3600)


service = BlobServiceClient("https://contosostore.blob.core.windows.net", credential=Fixed(), retry_total=0)
try:
    print(list(service.list_containers()))
except HttpResponseError as error:
    print("service:", error.status_code, error.error_code)

for credential in (DefaultAzureCredential(), ClientSecretCredential(TENANT_ID, CLIENT_ID, CLIENT_SECRET)):
    try:
        credential.get_token("https://storage.azure.com/.default")
        print("credential: returned an expired token")
    except ClientAuthenticationError as error:
        print(f"credential: {type(error).__name__}")
