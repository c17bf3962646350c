"""Sign a person in who enters a code in a browser, on this machine or any other."""

from azure.identity import DeviceCodeCredential
from azure.keyvault.secrets import SecretClient

credential = DeviceCodeCredential(
    "c1000000-0000-4000-8000-000000000014", tenant_id="7e000000-0000-4000-8000-000000000001"
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
