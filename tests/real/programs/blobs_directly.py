"""Azurite itself, past the gateway: does it take the token, and a token that has expired?

Arguments: Azurite's URL and its certificate.
"""

import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient
from control import faults
from token_endpoint import ask_entra

url, certificate = sys.argv[1:]


class Fixed:
    """A credential that always has the same token, and says that it is good."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *_scopes, **_options):
        return AccessToken(self.token, int(time.time()) + 3600)


def ask(credential):
    service = BlobServiceClient(url, credential=credential, connection_verify=certificate, retry_total=0)
    try:
        return f"allowed, {len(list(service.list_containers()))} containers or more"
    except HttpResponseError as error:
        return f"refused, {error.status_code} {error.error_code}"


print("valid:", ask(DefaultAzureCredential())[:7])
faults([{"match": {"service": "entra"}, "token": {"expires_in": -600}}])
print("expired:", ask(Fixed(ask_entra("https://storage.azure.com/.default"))))
