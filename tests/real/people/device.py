from azure.identity import DeviceCodeCredential
from azure.keyvault.secrets import SecretClient

credential = DeviceCodeCredential(tenant_id="7e000000-0000-4000-8000-000000000001", timeout=60)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print(client.get_secret("database-password").name)
