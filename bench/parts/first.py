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

RAW_TLS = f"""
import http.client, os, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
connection = http.client.HTTPSConnection(proxy.netloc)
connection.set_tunnel("login.microsoftonline.com", 443)
form = urllib.parse.urlencode({{
    "client_id": {emulator.CLIENT_ID!r}, "client_secret": {emulator.CLIENT_SECRET!r},
    "grant_type": "client_credentials", "scope": {emulator.SCOPE!r},
}})
connection.request("POST", "/{emulator.TENANT_ID}/oauth2/v2.0/token", form,
    {{"content-type": "application/x-www-form-urlencoded"}})
assert connection.getresponse().status == 200
"""

RAW = {"managed identity": RAW_HTTP, "client secret": RAW_TLS}
AIMS = {"managed identity": 1 / 12, "client secret": 1 / 8}


def measure(report: Report, rounds: int) -> None:
    """Run programs that get one token and end."""
    rows = []
    for name, made in emulator.CREDENTIALS.items():
        kind = made.partition("(")[0]
        use = f"import {kind}; {made}.get_token({emulator.SCOPE!r})"
        programs = {
            "bare": "pass",
            "raw": RAW[name],
            "peer": f"from azure.identity {use}",
            "ours": f"from entrada {use}",
        }
        costs = compare(programs, rounds)
        peer, ours, raw, bare = costs["peer"], costs["ours"], costs["raw"], costs["bare"]
        floor_is = f"raw request with http.client; bare interpreter {bare.cpu_ms:.3g}"
        rows += [
            Row(f"{name}, CPU", "ms", peer.cpu_ms, ours.cpu_ms, raw.cpu_ms, floor_is, AIMS[name]),
            Row(f"{name}, wall clock", "ms", peer.wall_ms, ours.wall_ms, raw.wall_ms, "raw request"),
            Row(f"{name}, resident memory", "MiB", peer.rss_mib, ours.rss_mib, raw.rss_mib, "raw request"),
        ]
    report.table(
        "From process start to the first token",
        "azure-identity",
        rows,
        ["Managed identity over http on loopback, client secret over TLS through the emulator's gateway."],
    )
