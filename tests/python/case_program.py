"""Plays one protocol case: makes the credential that standard input describes, asks it, prints what came of it."""

import contextlib
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
    for name in ("certificate_data", "client_certificate"):
        if name in options:
            options[name] = options[name].encode()
    for name in ("func", "client_assertion_func"):
        if name in options:
            options[name] = source(options[name])
    return kind(*options.pop("command", []), **options)


def source(described):
    """Make what a case takes assertions from."""
    import entrada

    ((kind, value),) = described.items()
    if kind == "file":
        return entrada.FileAssertion(value)
    if kind == "environment":
        return entrada.EnvironmentAssertion(value)
    if kind == "command":
        return entrada.CommandAssertion(*value)
    return entrada.ManagedIdentityAssertion(client_id=value)


def ask(face, case):
    """Ask for the token of a case, through one of the two faces."""
    if face == "entrada":
        import entrada

        return make(entrada, case).get_token(*case["scopes"], **case["request"])
    import asyncio

    import entrada.aio

    async def main():
        return await make(entrada.aio, case).get_token(*case["scopes"], **case["request"])

    return asyncio.run(main())


case = json.load(sys.stdin)
try:
    # What a person is told is not the answer.
    with contextlib.redirect_stdout(sys.stderr):
        token = ask(sys.argv[1], case)
except Exception as error:
    import entrada
    from azure.core.exceptions import ClientAuthenticationError

    if isinstance(error, (entrada.InteractionRequiredError, entrada.AuthenticationRequiredError)):
        outcome = "interaction required"
    elif isinstance(error, entrada.CredentialUnavailableError):
        outcome = "unavailable"
    elif isinstance(error, (ValueError, OSError)):  # the latter where a file that was named cannot be read
        outcome = "invalid argument"
    elif isinstance(error, ClientAuthenticationError):
        outcome = "failed"
    else:
        raise
    told = {"outcome": outcome, "text": str(error), "condition": getattr(error, "condition", None)}
    told["claims"] = getattr(error, "claims", None)
    json.dump({**told, "said": repr(error) + repr(vars(error))}, sys.stdout)
else:
    json.dump({"token": token.token, "expires_on": token.expires_on, "said": repr(token)}, sys.stdout)
