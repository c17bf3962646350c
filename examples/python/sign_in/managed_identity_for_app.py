"""Sign in as an app for which a managed identity vouches.

There is no secret anywhere, also where the app is in another tenant.
"""

from azure.keyvault.secrets import SecretClient
from entrada import ClientAssertionCredential, ManagedIdentityAssertion

credential = ClientAssertionCredential(
    "7e000000-0000-4000-8000-000000000001",
    "c1000000-0000-4000-8000-000000000001",
    ManagedIdentityAssertion(client_id="c1000000-0000-4000-8000-000000000005"),
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
