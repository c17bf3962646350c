"""Read a secret of a partner's vault, which asks for a token of the partner's tenant.

The client takes the tenant from the vault's challenge; the credential must allow it.
"""

import os

from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"],
    os.environ["AZURE_CLIENT_ID"],
    os.environ["AZURE_CLIENT_SECRET"],
    additionally_allowed_tenants=["7e000000-0000-4000-8000-000000000004"],
)
client = SecretClient("https://fabrikam-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
