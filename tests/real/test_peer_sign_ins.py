"""Others as judges: azure-identity for Python and JavaScript sign in by every flow they have, and so does entrada."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from emulator import ADA, ADA_PASSWORD, ORDERS, PEER_PROGRAMS, TENANT_ID, Ended
from sign_in_flows import AUTHORIZE, DIFFERENCES, FLOWS, INSTANCE, PEERS, Difference, Flow

API_SECRET, PORTAL_SECRET = "orders-api~fake.secret", "orders-portal~fake.secret"
NAMES_OF_A_RECORD = ["authority", "clientId", "homeAccountId", "tenantId", "username", "version"]
SAME = Difference("")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and a certificate that it signed: `chain.pem` has the key, and both."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(line: str) -> None:
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)

    name = "/CN=chained.contoso.example"
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"
        " -addext basicConstraints=critical,CA:TRUE"
    )
    openssl(f"req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj {name}")
    openssl("x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out leaf.pem")
    chain = "".join((folder / part).read_text() for part in ("leaf.key", "leaf.pem", "ca.pem"))
    (folder / "chain.pem").write_text(chain)
    world = (PEER_PROGRAMS / "sign_in.toml").read_text()
    (folder / "world.toml").write_text(world.replace("AUTHORITY", (folder / "ca.pem").read_text()))
    return folder


@pytest.fixture(scope="session")
def sign_in(javascript) -> dict[str, list[str | Path]]:
    """The program, for each library."""
    program = PEER_PROGRAMS / "sign_in.py"
    return {
        "sync": [sys.executable, program, "azure.identity"],
        "aio": [sys.executable, program, "azure.identity.aio"],
        "js": javascript("sign_in.mjs"),
        "entrada": [sys.executable, "-m", "entrada", program, "azure.identity"],
        "entrada-aio": [sys.executable, "-m", "entrada", program, "azure.identity.aio"],
        "entrada.aio": [sys.executable, "-m", "entrada", program, "entrada.aio"],
    }


def environment(flow: Flow, authority: Path) -> dict[str, str]:
    given = {
        "APP_SECRET": ORDERS["AZURE_CLIENT_SECRET"],
        "API_SECRET": API_SECRET,
        "PORTAL_SECRET": PORTAL_SECRET,
        "USER_NAME": ADA,
        "USER_PASSWORD": ADA_PASSWORD,
        "CERTIFICATE_CHAIN": str(authority / "chain.pem"),
        # On a developer's desktop too, JavaScript opens what BROWSER names.
        "XDG_CURRENT_DESKTOP": "X-Generic",
    }
    if flow.name == "environment":
        given |= {name: ORDERS[name] for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")}
        given["AZURE_CLIENT_CERTIFICATE_PATH"] = "of the run"
    return given


def asked(ended: Ended) -> list[str]:
    """What was asked of Entra and of those who vouch for a program: the grants, pages and refusals."""
    words = []
    for exchange in ended.journal:
        if exchange["service"] not in ("entra", "azure-pipelines"):
            continue
        path = exchange["path"]
        if not path.endswith("/oauth2/v2.0/token"):
            word = INSTANCE if path.endswith(INSTANCE) else path.rpartition("/")[2]
            words.append("userrealm" if "/userrealm/" in path else word)
        elif exchange["status"] == 200:
            words.append(exchange["grant"])
        else:
            words.append(exchange["note"].partition(":")[0])
    return words


@pytest.mark.parametrize(
    ("flow", "peer"), [pytest.param(flow, peer, id=f"{flow.name}-{peer}") for flow in FLOWS for peer in flow.peers]
)
def test_who_signs_in_and_what_is_asked_for_it(run, sign_in, authority, flow: Flow, peer: str):
    program = [*sign_in[peer], flow.name]
    ended = run(
        *[sys.executable, PEER_PROGRAMS / "given.py", flow.gives, "--", *program],
        host=flow.host,
        config=authority / "world.toml",
        environment=environment(flow, authority),
        person=ADA,
    )
    ended.succeeded().says_no_secret()
    assert API_SECRET not in ended.out + ended.err
    assert PORTAL_SECRET not in ended.out + ended.err
    difference = DIFFERENCES.get((flow.name, peer), SAME)
    outcomes = {line["kind"]: line for line in map(json.loads, ended.out.splitlines())}
    assert list(outcomes) == [kind for kind in flow.kinds if kind not in difference.lacks]
    for kind, outcome in outcomes.items():
        check(flow, difference, kind, outcome)

    wanted = flow.asked if difference.asked is None else difference.asked
    words = [word for words in wanted for word in words]
    if flow.gives == "code":
        words.insert(0, AUTHORIZE)
    assert asked(ended) == words
    check_principals(flow, ended)


def check(flow: Flow, difference: Difference, kind: str, outcome: dict[str, Any]) -> None:
    if kind == "record":
        assert outcome["names"] == NAMES_OF_A_RECORD
        assert (outcome["username"], outcome["account"]) == (ADA, [object_id(flow.user), TENANT_ID])
        return
    refusal = difference.refused.get(kind) or ((flow.refused[kind], "") if kind in flow.refused else None)
    if refusal is not None:
        error, part = refusal
        assert outcome.get("error") == error, outcome
        assert part in outcome["message"]
        return
    assert "error" not in outcome, outcome
    user, app = (flow.others[kind],) * 2 if kind in flow.others else (flow.user, flow.app)
    assert (outcome["oid"], outcome["app"]) == (object_id(user), client_id(app)), outcome
    resource = "management.azure.com" if kind in flow.management else "vault.azure.net"
    assert outcome["audience"] == f"https://{resource}"


def check_principals(flow: Flow, ended: Ended) -> None:
    """The journal tells of the same principals as the tokens."""
    granted = [exchange["principal"]["object_id"] for exchange in ended.at("entra", 200) if exchange["principal"]]
    assert granted
    assert set(granted) <= {object_id(number) for number in (flow.user, *flow.others.values())}


def object_id(number: str) -> str:
    return f"0b000000-0000-4000-8000-0000000000{number}"


def client_id(number: str) -> str:
    return f"c1000000-0000-4000-8000-0000000000{number}"


def test_every_difference_is_of_a_flow_and_a_library_that_is_played():
    played = {(flow.name, peer) for flow in FLOWS for peer in flow.peers}
    assert set(DIFFERENCES) <= played
    assert all(difference.why for difference in DIFFERENCES.values())
    assert {peer for _, peer in played} == set(PEERS)
    assert not any(peer.startswith("entrada") for _, peer in DIFFERENCES)


def test_every_way_to_sign_in_that_azure_identity_has_is_played():
    text = (PEER_PROGRAMS / "sign_in.py").read_text()
    import azure.identity
    import azure.identity.aio

    elsewhere = {
        # Hosts and other programs' sign-ins: test_peers.py, test_azure_cli.py.
        "ManagedIdentityCredential",
        "AzureCliCredential",
        # Programs that are in no registry.
        "AzureDeveloperCliCredential",
        "AzurePowerShellCredential",
        "VisualStudioCodeCredential",
        "SharedTokenCacheCredential",
        # They ask others.
        "ChainedTokenCredential",
        "DefaultAzureCredential",
    }
    for module in (azure.identity, azure.identity.aio):
        credentials = {name for name in module.__all__ if name.endswith("Credential")}
        assert [name for name in sorted(credentials - elsewhere) if f"identity.{name}(" not in text] == []
