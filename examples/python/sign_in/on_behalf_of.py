"""An API that goes on as the user who called it: one object for all users.

Here the user is signed in with a password, in the place of the client that would call the API.
"""

import os

from azure.keyvault.secrets import SecretClient
from entrada import OnBehalfOfCredential, UsernamePasswordCredential

TENANT_ID = "7e000000-0000-4000-8000-000000000001"

# The client of the user, and the token that it sends with its request.
user_client = UsernamePasswordCredential(
    "c1000000-0000-4000-8000-000000000014",
    os.environ["AZURE_USERNAME"],
    os.environ["AZURE_PASSWORD"],
    tenant_id=TENANT_ID,
)
sent = user_client.get_token("api://orders-api/.default").token

# The API.
users = OnBehalfOfCredential(
    TENANT_ID, "c1000000-0000-4000-8000-000000000009", client_secret=os.environ["API_CLIENT_SECRET"]
)
client = SecretClient("https://contoso-vault.vault.azure.net", users.for_user(sent))
print("read", client.get_secret("database-password").name)
