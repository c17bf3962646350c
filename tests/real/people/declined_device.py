from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DeviceCodeCredential

credential = DeviceCodeCredential(tenant_id="7e000000-0000-4000-8000-000000000001", timeout=60)
try:
    credential.get_token("https://vault.azure.net/.default")
except ClientAuthenticationError as error:
    print(error.message)
