"""Sign in with `az login` as the arguments say, then use the sign-in: with az, and with AzureCliCredential."""

import base64
import json
import os
import subprocess
import sys

from azure.identity import AzureCliCredential

VAULT = "https://vault.azure.net"


def az(*words):
    done = subprocess.run(["az", *words], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout or "null")


def whose(token):
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {name: claims.get(name) for name in ("oid", "tid", "aud")}


az("login", "--output", "none", *map(os.path.expandvars, sys.argv[1:]))
account = az("account", "show", "--output", "json")
token = az("account", "get-access-token", "--resource", VAULT, "--output", "json")
ours = AzureCliCredential().get_token(VAULT + "/.default")
print(
    json.dumps(
        {
            "user": account["user"],
            "tenant": account["tenantId"],
            "az": whose(token["accessToken"]),
            "credential": whose(ours.token),
            "same token": token["accessToken"] == ours.token,
        }
    )
)
