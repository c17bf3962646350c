"""Others as judges: the credentials of Microsoft's libraries get tokens of every emulated host, and so does entrada."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import peer_matrix
import pytest
from emulator import PEER_PROGRAMS, ROOT, USER_ASSIGNED_CLIENT_ID, Ended
from peer_matrix import NAMED, OWN, PEERS, ROWS, SYSTEM, Refusal, Row, Token

PAGE = ROOT / "docs/peers.md"
NAMED_NUMBER, ML_SYSTEM_NUMBER, ADA_NUMBER = 5, 23, 7
CLOUD_SHELL_CLIENT_ID = "b677c290-cf4b-4a8e-a60e-91ba650a4abe"
ENVIRONMENT = {
    "ORDERS_CLIENT_ID": USER_ASSIGNED_CLIENT_ID,
    "ORDERS_OBJECT_ID": "0b000000-0000-4000-8000-000000000005",
    "ORDERS_RESOURCE_ID": "/subscriptions/5b000000-0000-4000-8000-000000000001/resourceGroups/orders-rg"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/orders-identity",
}
#: The emulated agent writes its keys where the real one does, which takes root.
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="the keys of Azure Arc are in /var/opt/azcmagent/tokens, where only root may write",
)


@pytest.fixture(scope="session")
def who_am_i(javascript) -> dict[str, list[str | Path]]:
    """The program, for each library."""
    program = PEER_PROGRAMS / "who_am_i.py"
    return {
        "sync": [sys.executable, program, "sync"],
        "aio": [sys.executable, program, "aio"],
        "js": javascript("who_am_i.mjs"),
        "entrada": [sys.executable, "-m", "entrada", program, "sync"],
    }


def told(ended: Ended) -> dict[str, dict[str, Any]]:
    """What the program said of each way to name an identity."""
    ended.succeeded().says_no_secret()
    lines = [json.loads(line) for line in ended.out.splitlines()]
    return {line["kind"]: line for line in lines}


def cells() -> list[Any]:
    marks = {"azure-arc": needs_root}
    return [
        pytest.param(row, peer, id=f"{row.label}-{peer}".replace(", ", "-"), marks=marks.get(row.host, ()))
        for row in ROWS
        for peer in row.peers
    ]


@pytest.mark.parametrize(("row", "peer"), cells())
def test_the_principal_is_the_one_that_the_table_says(run, who_am_i, row: Row, peer: str):
    command = [*who_am_i[peer], row.credential]
    ended = run(*command, host=row.host, config=PEER_PROGRAMS / "world.toml", environment=ENVIRONMENT)
    outcomes = told(ended)
    assert tuple(outcomes) == row.kinds
    for kind, outcome in outcomes.items():
        wanted, _ = peer_matrix.expected(row, peer, kind)
        check(wanted, outcome, row, ended)


def check(wanted: Token | Refusal, outcome: dict[str, Any], row: Row, ended: Ended) -> None:
    if isinstance(wanted, Refusal):
        assert outcome.get("error") == wanted.error, outcome
        assert re.search(wanted.pattern, outcome["message"]), outcome
        return
    number = {OWN: row.own, NAMED: NAMED_NUMBER, SYSTEM: ML_SYSTEM_NUMBER}[wanted.of]
    client_id = CLOUD_SHELL_CLIENT_ID if number == ADA_NUMBER else f"c1000000-0000-4000-8000-{number:012}"
    assert "error" not in outcome, outcome
    assert (outcome["oid"], outcome["appid"]) == (f"0b000000-0000-4000-8000-{number:012}", client_id), outcome
    assert (outcome["hours"] in range(1, 25)) is wanted.ends, outcome
    if wanted.parameter is not None:
        assert any(wanted.parameter in parse_qs(exchange["query"]) for exchange in ended.token_requests())


# Differences 6 and 7: the document says that the certificate is the one with the thumbprint in the variable.
@pytest.mark.parametrize(
    ("peer", "error"),
    [("sync", "SSLError"), ("aio", None), ("js", None), ("entrada", "ClientAuthenticationError")],
)
def test_who_sends_a_secret_to_an_endpoint_with_another_certificate(run, who_am_i, peer: str, error: str | None):
    settings = ["IDENTITY_SERVER_THUMBPRINT=" + "0" * 40]
    if peer == "js":
        settings.append("NODE_TLS_REJECT_UNAUTHORIZED=0")
    command = ["env", *settings, *who_am_i[peer], "ManagedIdentityCredential"]
    ended = run(*command, host="service-fabric", environment=ENVIRONMENT)
    outcome = told(ended)["none"]
    assert outcome.get("error") == error
    assert len(ended.token_requests()) == (0 if error else 1)
    if error:
        assert "thumbprint" in outcome["message"]
    else:
        assert outcome["oid"] == "0b000000-0000-4000-8000-000000000021"


def test_the_page_is_up_to_date():
    begin = "<!-- Written by tests/real/test_peers.py; to write it anew: ENTRADA_BLESS=1 cargo xtask test real -->\n"
    end = "<!-- end -->"
    text = PAGE.read_text()
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    assert rest, "the page has no place for the table"
    manifest = json.loads((ROOT / "tests/real/azure-identity-js/package.json").read_text())
    javascript = manifest["dependencies"]["@azure/identity"]
    versions = f"\nPython is azure-identity {version('azure-identity')}, JavaScript @azure/identity {javascript}.\n\n"
    wanted = f"{before}{begin}{versions}{peer_matrix.page()}{end}{after}"
    if text != wanted and os.environ.get("ENTRADA_BLESS"):
        PAGE.write_text(wanted)
        text = wanted
    assert text == wanted, "docs/peers.md is out of date; write it anew with ENTRADA_BLESS=1"


def test_every_refusal_and_difference_is_in_the_table():
    every = [(row, peer, kind) for row in ROWS for peer in row.peers for kind in row.kinds]
    outcomes = [peer_matrix.expected(*cell) for cell in every]
    assert {number for _, number in outcomes} >= set(range(1, len(peer_matrix.DIFFERENCES) + 1))
    assert set(peer_matrix.REFUSALS.values()) <= {outcome for outcome, _ in outcomes}
    # Those without a managed identity; test_peer_sign_ins.py is about how their programs sign in.
    without = {"laptop", "github-actions", "azure-pipelines"}
    assert {row.host for row in ROWS} | without == hosts_of_the_emulator()
    assert set(PEERS) == {peer for row in ROWS for peer in row.peers}


def hosts_of_the_emulator() -> set[str]:
    source = (ROOT / "crates/entrada-emulator/src/host.rs").read_text()
    return set(re.findall(r'Host::\w+ => "([a-z-]+)"', source))
