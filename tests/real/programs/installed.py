"""A program that puts entrada in azure-identity's place from code, though azure-identity is installed beside it."""

import entrada

entrada.install()

import azure.identity  # noqa: E402
import azure.identity.aio  # noqa: E402
from azure.keyvault.secrets import SecretClient  # noqa: E402

print(azure.identity.DefaultAzureCredential is entrada.DefaultAzureCredential)
client = SecretClient("https://contoso-vault.vault.azure.net", azure.identity.DefaultAzureCredential())
print(client.get_secret("database-password").name)
