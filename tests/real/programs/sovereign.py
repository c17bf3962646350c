"""Azure US Government: another authority, another vault."""

import os

from azure.identity import AzureAuthorityHosts, ClientSecretCredential
from azure.keyvault.secrets import SecretClient

credential = ClientSecretCredential(
    tenant_id="7e000000-0000-4000-8000-000000000002",
    client_id=os.environ["AZURE_CLIENT_ID"],
    client_secret=os.environ["AZURE_CLIENT_SECRET"],
    authority=AzureAuthorityHosts.AZURE_GOVERNMENT,
)
client = SecretClient("https://contoso-us-vault.vault.usgovcloudapi.net", credential)
print(client.get_secret("database-password").name)
