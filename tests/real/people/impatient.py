from azure.core.exceptions import ClientAuthenticationError
from azure.identity import InteractiveBrowserCredential

credential = InteractiveBrowserCredential(tenant_id="7e000000-0000-4000-8000-000000000001", timeout=15)
try:
    credential.get_token("https://vault.azure.net/.default")
except ClientAuthenticationError as error:
    print(error.message)
