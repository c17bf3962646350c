"""Sign a person in before they are needed, and remember who it was.

The record holds no secret, and a credential that is given it takes tokens of nobody else.
"""

from azure.identity import AuthenticationRecord, InteractiveBrowserCredential
from azure.keyvault.secrets import SecretClient

APP = {"tenant_id": "7e000000-0000-4000-8000-000000000001", "client_id": "c1000000-0000-4000-8000-000000000014"}

record = InteractiveBrowserCredential(**APP).authenticate()
print("signed in:", record.username)
kept = record.serialize()

# Later.
credential = InteractiveBrowserCredential(
    **APP, authentication_record=AuthenticationRecord.deserialize(kept), disable_automatic_authentication=True
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
