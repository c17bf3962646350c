"""From the start of a process to its first token."""

from __future__ import annotations

import emulator
from processes import compare
from report import Report, Row

RAW_HTTP = """
import http.client, os, urllib.parse
endpoint = urllib.parse.urlsplit(os.environ["IDENTITY_ENDPOINT"])
connection = http.client.HTTPConnection(endpoint.netloc)
query = urllib.parse.urlencode({"api-version": "2019-08-01", "resource": "https://vault.azure.net"})
connection.request("GET", f"{endpoint.path}?{query}", headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]})
assert connection.getresponse().status == 200
"""


def raw_tls(proof: str) -> str:
    """A program that asks Entra with http.client; `proof` is an expression for a dictionary."""
    return f"""
import http.client, os, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
connection = http.client.HTTPSConnection(proxy.netloc)
connection.set_tunnel("login.microsoftonline.com", 443)
form = urllib.parse.urlencode({{
    "client_id": {emulator.CLIENT_ID!r}, "grant_type": "client_credentials", "scope": {emulator.SCOPE!r}, **{proof}
}})
connection.request("POST", "/{emulator.TENANT_ID}/oauth2/v2.0/token", form,
    {{"content-type": "application/x-www-form-urlencoded"}})
assert connection.getresponse().status == 200
"""


RAW_SECRET = raw_tls(f"{{'client_secret': {emulator.CLIENT_SECRET!r}}}")
RAW = {"managed identity": RAW_HTTP, "client secret": RAW_SECRET}
AIMS = {"managed identity": 1 / 12, "client secret": 1 / 8}


def measure(report: Report, rounds: int) -> None:
    """Run programs that get one token and end."""
    rows = []
    for name, made in emulator.CREDENTIALS.items():
        rows += first_token(name, made, RAW[name], rounds, AIMS[name])
    report.table(
        "From process start to the first token",
        "azure-identity",
        rows,
        ["Managed identity over http on loopback, client secret over TLS through the emulator's gateway."],
    )


def first_token(name: str, made: str, raw: str, rounds: int, aim: float | None = None) -> list[Row]:
    """Run programs that construct the credential `made`, get one token and end."""
    programs = {"bare": "pass", "raw": raw, **{role: program(role, made) for role in ("peer", "ours")}}
    costs = compare(programs, rounds)
    peer, ours, raw_cost, bare = costs["peer"], costs["ours"], costs["raw"], costs["bare"]
    floor_is = f"raw request with http.client; bare interpreter {bare.cpu_ms:.3g}"
    return [
        Row(f"{name}, CPU", "ms", peer.cpu_ms, ours.cpu_ms, raw_cost.cpu_ms, floor_is, aim),
        Row(f"{name}, wall clock", "ms", peer.wall_ms, ours.wall_ms, raw_cost.wall_ms, "raw request"),
        Row(f"{name}, resident memory", "MiB", peer.rss_mib, ours.rss_mib, raw_cost.rss_mib, "raw request"),
    ]


def program(role: str, made: str) -> str:
    """A program that gets one token with the library of this role."""
    library = {"peer": "azure.identity", "ours": "entrada"}[role]
    kind = made.partition("(")[0]
    return f"import os\nfrom {library} import {kind}; {made}.get_token({emulator.SCOPE!r})"
