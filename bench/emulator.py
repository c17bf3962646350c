"""The emulator around this run: what it counted, and how slow it is told to be."""

from __future__ import annotations

import json
import os
import urllib.request

TENANT_ID = "7e000000-0000-4000-8000-000000000001"
CLIENT_ID = "c1000000-0000-4000-8000-000000000001"
CLIENT_SECRET = "orders-ci~fake.secret"
SCOPE = "https://vault.azure.net/.default"

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
    call("PUT", "/faults", [{"delay_ms": milliseconds}])


def forget() -> None:
    """Begin to count anew, and answer at once."""
    call("DELETE", "/faults")
    call("DELETE", "/journal")


def requests() -> int:
    """How many requests reached Entra and the managed-identity endpoints."""
    identity = {"entra", "imds", "app-service"}
    return sum(entry["service"] in identity for entry in call("GET", "/journal"))
