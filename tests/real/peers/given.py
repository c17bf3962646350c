"""Gives a program what others would give it, then runs it: a token of an issuer, of a user, or a code of a sign-in.

Arguments: what to give (`assertion`, `user-assertion`, `code`, `nothing`), and the command after `--`.
"""

import json
import os
import subprocess
import sys
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

TENANT = "7e000000-0000-4000-8000-000000000001"
PORTAL = "c1000000-0000-4000-8000-000000000015"
REDIRECT_URI = "https://portal.contoso.example/signin"


def control(path, wish):
    """Ask the emulator for what only it can sign."""
    request = urllib.request.Request(
        os.environ["ENTRADA_EMULATOR_URL"] + path,
        data=json.dumps(wish).encode(),
        headers={"x-entrada-key": os.environ["ENTRADA_EMULATOR_KEY"]},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def assertion():
    """A token of a workflow of GitHub Actions."""
    wish = {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:contoso/orders:ref:refs/heads/main",
        "audience": "api://AzureADTokenExchange",
    }
    if lifetime := os.environ.get("GIVEN_EXPIRES_IN"):
        wish["expires_in"] = int(lifetime)
    return {"GIVEN_ASSERTION": control("/assertions", wish)["assertion"]}


def user_assertion():
    """What ada's program sent to the API."""
    wish = {"user": "ada@contoso.onmicrosoft.com", "scope": "api://orders-api/access_as_user"}
    return {"GIVEN_USER_ASSERTION": control("/user-tokens", wish)["tokens"][0]}


class Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow: the web app that is led to is nowhere."""

    def redirect_request(self, *_arguments):
        return None


def code():
    """What the web app is told after ada has signed in."""
    query = {
        "client_id": PORTAL,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "https://vault.azure.net/.default offline_access",
        "state": "s",
    }
    page = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize?{urlencode(query)}"
    try:
        urllib.request.build_opener(Stay).open(page, timeout=30)
    except urllib.error.HTTPError as answer:
        back = parse_qs(urlsplit(answer.headers["location"]).query)
    return {"GIVEN_CODE": back["code"][0], "GIVEN_REDIRECT_URI": REDIRECT_URI}


GIVERS = {"assertion": (assertion,), "user-assertion": (user_assertion, assertion), "code": (code,), "nothing": ()}
what, dashes, *command = sys.argv[1:]
assert dashes == "--"
# The certificate of the run, by the names that programs here know.
names = ("CERTIFICATE", "CERTIFICATE_ENCRYPTED", "CERTIFICATE_PFX", "CERTIFICATE_PASSWORD")
things = {name: os.environ["ENTRADA_EMULATOR_" + name] for name in names}
if os.environ.get("AZURE_CLIENT_CERTIFICATE_PATH") == "of the run":
    things["AZURE_CLIENT_CERTIFICATE_PATH"] = things["CERTIFICATE"]
for give in GIVERS[what]:
    things |= give()
sys.exit(subprocess.run(command, env={**os.environ, **things}, check=False).returncode)
