"""The emulator around this run: what it counted, and what it is told to do."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import urllib.request
from collections.abc import Iterator

TENANT_ID = "7e000000-0000-4000-8000-000000000001"
CLIENT_ID = "c1000000-0000-4000-8000-000000000001"
CLIENT_SECRET = "orders-ci~fake.secret"
SCOPE = "https://vault.azure.net/.default"
#: An API that goes on as the users who call it.
API_CLIENT_ID = "c1000000-0000-4000-8000-000000000009"
API_SECRET = "orders-api~fake.secret"

#: How each credential is constructed, in both libraries.
CREDENTIALS = {
    "managed identity": "ManagedIdentityCredential()",
    "client secret": f"ClientSecretCredential({TENANT_ID!r}, {CLIENT_ID!r}, {CLIENT_SECRET!r})",
}


def call(method: str, path: str, body: object = None) -> object:
    """Ask the emulator's control endpoint."""
    request = urllib.request.Request(
        os.environ["ENTRADA_EMULATOR_URL"] + path,
        method=method,
        headers={"x-entrada-key": os.environ["ENTRADA_EMULATOR_KEY"], "content-type": "application/json"},
        data=None if body is None else json.dumps(body).encode(),
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as answered:
        text = answered.read()
    return json.loads(text) if text else None


def delay(milliseconds: int) -> None:
    """Let every answer take so long."""
    faults({"delay_ms": milliseconds})


def faults(*rules: dict[str, object]) -> None:
    """Let answers be as these rules say."""
    call("PUT", "/faults", list(rules))


def forget() -> None:
    """Begin to count anew, and answer at once."""
    call("DELETE", "/faults")
    call("DELETE", "/journal")


def user_assertions(count: int) -> list[str]:
    """The tokens that so many users' clients send to the API."""
    tokens = []
    while len(tokens) < count:
        # One request takes no more.
        some = min(count - len(tokens), 10_000)
        answer = call("POST", "/user-tokens", {"first": len(tokens), "count": some, "expires_in": 86_400})
        tokens += answer["tokens"]
    return tokens


def requests(status: int | None = None) -> int:
    """How many requests reached Entra and the managed-identity endpoints, or got this status there."""
    identity = {"entra", "imds", "app-service"}
    journal = call("GET", "/journal")
    return sum(entry["service"] in identity and status in (None, entry["status"]) for entry in journal)


@contextlib.contextmanager
def inside(host: str) -> Iterator[None]:
    """Move this process, and what it starts meanwhile, into another emulator, whose programs run on this host."""
    before = dict(os.environ)
    command = [os.environ.get("ENTRADA_COMMAND", "entrada"), "emulate", "--quiet", "--host", host]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stdout:
                verb, words = shlex.split(line)
                name, _, value = words.partition("=")
                os.environ.pop(name, None)
                if verb == "export":
                    os.environ[name] = value
                if name == "ENTRADA_EMULATOR_KEY":
                    break
            yield
        finally:
            server.terminate()
            os.environ.clear()
            os.environ.update(before)
