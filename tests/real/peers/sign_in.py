"""Signs in by one flow, in every way that the flow has: a line of JSON for each token, or for each refusal.

Arguments: the module with the credentials, and the flow.
"""

import asyncio
import base64
import importlib
import inspect
import json
import os
import sys
import warnings
from functools import partial
from pathlib import Path

warnings.simplefilter("ignore", DeprecationWarning)

VAULT, MANAGEMENT = "https://vault.azure.net/.default", "https://management.azure.com/.default"
TENANT = "7e000000-0000-4000-8000-000000000001"
APP, API, PORTAL, TOOL, CHAINED = (
    f"c1000000-0000-4000-8000-0000000000{number}" for number in ("01", "09", "15", "14", "a1")
)
# What a resource server demands that wants a token of now.
CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'

module, flow = sys.argv[1:]
identity = importlib.import_module(module)
loop = asyncio.new_event_loop()
given = os.environ


def finished(value):
    """What a call gives, with either face."""
    return loop.run_until_complete(value) if inspect.isawaitable(value) else value


def tell(kind, ask):
    """Say whose the token is."""
    try:
        token = finished(ask()).token
    except Exception as error:
        said = {"error": type(error).__name__, "message": str(error)}
    else:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        said = {"oid": claims["oid"], "app": claims.get("appid", claims.get("azp")), "audience": claims["aud"]}
    print(json.dumps({"kind": kind, **said}), flush=True)


def prompt(verification_uri, user_code, _expires_on):
    print(f"{user_code} at {verification_uri}", file=sys.stderr)


def service_principals():
    """The credentials that sign an app in, by flow and kind."""
    names = ("", "_ENCRYPTED", "_PFX", "_PASSWORD", "_CHAIN")
    certificate, encrypted, pfx, password, chain = (given.get(f"CERTIFICATE{name}") for name in names)
    user = {"user_assertion": given.get("GIVEN_USER_ASSERTION")}
    assertion = given.get("GIVEN_ASSERTION")
    return {
        "secret": {"secret": lambda: identity.ClientSecretCredential(TENANT, APP, given["APP_SECRET"])},
        "certificate": {
            "pem": lambda: identity.CertificateCredential(TENANT, APP, certificate),
            "encrypted": lambda: identity.CertificateCredential(TENANT, APP, encrypted, password=password),
            "pfx": lambda: identity.CertificateCredential(TENANT, APP, pfx, password=password),
            "chain": lambda: identity.CertificateCredential(TENANT, CHAINED, chain, send_certificate_chain=True),
        },
        "environment": {"certificate": lambda: identity.EnvironmentCredential()},
        "assertion": {"function": lambda: identity.ClientAssertionCredential(TENANT, APP, lambda: assertion)},
        "workload": {"file": lambda: identity.WorkloadIdentityCredential()},
        "pipelines": {
            "service connection": lambda: identity.AzurePipelinesCredential(
                tenant_id=given["AZURESUBSCRIPTION_TENANT_ID"],
                client_id=given["AZURESUBSCRIPTION_CLIENT_ID"],
                service_connection_id=given["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
                system_access_token=given["SYSTEM_ACCESSTOKEN"],
            )
        },
        "on-behalf-of": {
            "secret": lambda: identity.OnBehalfOfCredential(TENANT, API, client_secret=given["API_SECRET"], **user),
            "certificate": lambda: identity.OnBehalfOfCredential(
                TENANT, API, client_certificate=Path(certificate).read_bytes(), **user
            ),
            "assertion": lambda: identity.OnBehalfOfCredential(
                TENANT, API, client_assertion_func=lambda: assertion, **user
            ),
        },
    }


def people():
    """The credentials that sign a person in."""
    tool = {"tenant_id": TENANT, "client_id": TOOL}
    return {
        "code": lambda: identity.AuthorizationCodeCredential(
            TENANT, PORTAL, given["GIVEN_CODE"], given["GIVEN_REDIRECT_URI"], client_secret=given["PORTAL_SECRET"]
        ),
        "device": lambda **more: identity.DeviceCodeCredential(**tool, prompt_callback=prompt, **more),
        "browser": lambda **more: identity.InteractiveBrowserCredential(**tool, **more),
        "password": lambda **more: identity.UsernamePasswordCredential(
            TOOL, given["USER_NAME"], given["USER_PASSWORD"], tenant_id=TENANT, **more
        ),
    }


def go_on(credential):
    """One sign-in, and what comes of it: another resource, and a token anew."""
    tell("first", lambda: credential.get_token(VAULT))
    tell("again", lambda: credential.get_token(VAULT))
    tell("other resource", lambda: credential.get_token(MANAGEMENT))
    tell("claims", lambda: credential.get_token(VAULT, claims=CLAIMS))


def record(make):
    """A person is asked only when the program says so, and the record of it is kept."""
    silent = make(disable_automatic_authentication=True)
    tell("before", lambda: silent.get_token(VAULT))
    kept = finished(silent.authenticate(scopes=[VAULT])).serialize()
    tell("after", lambda: silent.get_token(VAULT))
    tell("other resource", lambda: silent.get_token(MANAGEMENT))
    written = json.loads(kept)
    account = written["homeAccountId"].split(".")
    print(json.dumps({"kind": "record", "names": sorted(written), "username": written["username"], "account": account}))
    known = importlib.import_module("azure.identity").AuthenticationRecord.deserialize(kept)
    other = make(disable_automatic_authentication=True, authentication_record=known)
    tell("another object", lambda: other.get_token(VAULT))
    for credential in (silent, other):
        finished(credential.close())


if flow == "record":
    record(people()["device"])
elif flow in people():
    credential = people()[flow]()
    go_on(credential)
    finished(credential.close())
else:
    for kind, make in service_principals()[flow].items():
        credential = make()
        tell(kind, partial(credential.get_token, VAULT))
        finished(credential.close())
loop.close()
