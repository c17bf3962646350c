from azure.core.exceptions import ClientAuthenticationError
from azure.identity import InteractiveBrowserCredential

# An app that nobody has consented to.
credential = InteractiveBrowserCredential(
    tenant_id="7e000000-0000-4000-8000-000000000001", client_id="c1000000-0000-4000-8000-000000000016", timeout=60
)
try:
    credential.get_token("https://vault.azure.net/.default")
except ClientAuthenticationError as error:
    print(error.message)
