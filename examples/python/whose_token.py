"""Tell whose token the program gets where it runs: by itself, and by each name of a user-assigned identity."""

import base64
import json

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

RESOURCE_ID = (
    "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/orders-identity"
)
IDENTITIES = {
    "by itself": {},
    "client id": {"client_id": "c1000000-0000-4000-8000-000000000005"},
    "object id": {"identity_config": {"object_id": "0b000000-0000-4000-8000-000000000005"}},
    "resource id": {"identity_config": {"resource_id": RESOURCE_ID}},
}


def claims(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


for name, arguments in IDENTITIES.items():
    try:
        token = ManagedIdentityCredential(**arguments).get_token("https://vault.azure.net/.default")
    except ClientAuthenticationError as error:
        print(f"{name:12} none: {error.message.splitlines()[0]}")
    else:
        found = claims(token.token)
        # Where the identity is: the resource that has it, or the person in Cloud Shell.
        owner = found.get("xms_mirid", found.get("upn", "")).rpartition("/")[2]
        print(f"{name:12} {owner}, object id {found['oid']}")
