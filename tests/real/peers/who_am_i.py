"""Who a program is on this host, to each way of naming an identity: a line of JSON each.

Arguments: `sync` or `aio`, and the credential to use.
"""

import asyncio
import base64
import json
import os
import sys
import time

import azure.identity
import azure.identity.aio

SCOPE = "https://vault.azure.net/.default"
CLIENT_ID, OBJECT_ID, RESOURCE_ID = (os.environ[f"ORDERS_{kind}_ID"] for kind in ("CLIENT", "OBJECT", "RESOURCE"))
KINDS = {
    "ManagedIdentityCredential": {
        "none": {},
        "client id": {"client_id": CLIENT_ID},
        "object id": {"identity_config": {"object_id": OBJECT_ID}},
        "resource id": {"identity_config": {"resource_id": RESOURCE_ID}},
    },
    "WorkloadIdentityCredential": {
        "none": {"enable_azure_proxy": True},
        "client id": {"enable_azure_proxy": True, "client_id": CLIENT_ID},
    },
}


def tell(kind, token):
    """Say whose the token is, and how many hours it lasts."""
    payload = token.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    hours = round((token.expires_on - time.time()) / 3600)
    print(json.dumps({"kind": kind, "oid": claims["oid"], "appid": claims["appid"], "hours": hours}))


def tell_error(kind, error):
    print(json.dumps({"kind": kind, "error": type(error).__name__, "message": str(error)}))


def ask(name):
    for kind, options in KINDS[name].items():
        try:
            with getattr(azure.identity, name)(**options) as credential:
                tell(kind, credential.get_token(SCOPE))
        except Exception as error:
            tell_error(kind, error)


async def ask_async(name):
    for kind, options in KINDS[name].items():
        try:
            async with getattr(azure.identity.aio, name)(**options) as credential:
                tell(kind, await credential.get_token(SCOPE))
        except Exception as error:
            tell_error(kind, error)


face, name = sys.argv[1:]
if face == "sync":
    ask(name)
else:
    asyncio.run(ask_async(name))
