"""A secret, with whatever DefaultAzureCredential finds."""

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

client = SecretClient(vault_url="https://contoso-vault.vault.azure.net", credential=DefaultAzureCredential())
try:
    print(client.get_secret("database-password").value)
except ClientAuthenticationError as error:
    print(type(error).__name__)
    print(error.message)
