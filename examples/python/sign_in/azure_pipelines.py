"""Sign in from a job of Azure Pipelines, with the service connection that the variables of the job describe."""

from azure.keyvault.secrets import SecretClient
from entrada import AzurePipelinesCredential

client = SecretClient("https://contoso-vault.vault.azure.net", AzurePipelinesCredential())
print("read", client.get_secret("database-password").name)
