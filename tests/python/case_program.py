"""Plays one protocol case: makes the credential that standard input describes, asks it, prints what came of it."""

import json
import logging
import sys
import warnings

logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
warnings.simplefilter("always")


def make(module, case):
    """Make the credential of a case."""
    options = case.get("options", {})
    kind = getattr(module, case["credential"])
    if case["credential"] == "ManagedIdentityCredential":
        ids = {name: options.pop(name) for name in ("client_id", "object_id", "resource_id") if name in options}
        return kind(identity_config=ids, **options)
    if case["credential"] == "ClientSecretCredential":
        for name in ("tenant_id", "client_id", "client_secret"):
            options.setdefault(name, "")
    return kind(**options)


def ask(face, case):
    """Ask for the token of a case, through one of the two faces."""
    if face == "entrada":
        import entrada

        return make(entrada, case).get_token(*case["scopes"])
    import asyncio

    import entrada.aio

    async def main():
        return await make(entrada.aio, case).get_token(*case["scopes"])

    return asyncio.run(main())


case = json.load(sys.stdin)
try:
    token = ask(sys.argv[1], case)
except Exception as error:
    import entrada
    from azure.core.exceptions import ClientAuthenticationError

    if isinstance(error, entrada.CredentialUnavailableError):
        outcome = "unavailable"
    elif isinstance(error, ValueError):
        outcome = "invalid argument"
    elif isinstance(error, ClientAuthenticationError):
        outcome = "failed"
    else:
        raise
    told = {"outcome": outcome, "text": str(error), "condition": getattr(error, "condition", None)}
    json.dump({**told, "said": repr(error) + repr(vars(error))}, sys.stdout)
else:
    json.dump({"token": token.token, "expires_on": token.expires_on, "said": repr(token)}, sys.stdout)
