"""Sign a person in with the browser on this machine."""

from azure.identity import InteractiveBrowserCredential
from azure.keyvault.secrets import SecretClient

credential = InteractiveBrowserCredential(
    tenant_id="7e000000-0000-4000-8000-000000000001", client_id="c1000000-0000-4000-8000-000000000014"
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
