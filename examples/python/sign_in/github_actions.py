"""Sign in from a job of GitHub Actions that may get tokens (``permissions: id-token: write``).

The app is the one of AZURE_TENANT_ID and AZURE_CLIENT_ID.
"""

from azure.keyvault.secrets import SecretClient
from entrada import GitHubActionsCredential

client = SecretClient("https://contoso-vault.vault.azure.net", GitHubActionsCredential())
print("read", client.get_secret("database-password").name)
