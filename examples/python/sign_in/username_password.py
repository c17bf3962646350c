"""Sign a user in with a name and a password.

For tests of old systems only: it cannot work where more than a password is asked for, and Microsoft is about to require
that everywhere.
"""

import os

from azure.identity import UsernamePasswordCredential
from azure.keyvault.secrets import SecretClient

credential = UsernamePasswordCredential(
    "c1000000-0000-4000-8000-000000000014",
    os.environ["AZURE_USERNAME"],
    os.environ["AZURE_PASSWORD"],
    tenant_id="7e000000-0000-4000-8000-000000000001",
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
