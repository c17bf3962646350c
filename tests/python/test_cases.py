"""Plays the protocol cases of `tests/cases` through Python, sync and async, as the Rust tests do through Rust.

Each runs in a process of its own, on the machine that the case describes. Whatever comes, no secret may show up in what
was logged or said.
"""

import base64
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts import ROOT, SCOPE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Object ids of the identities that hosts give to those who name none.
OWN = {
    "virtual-machine": 4,
    "container-instance": 24,
    "app-service": 3,
    "app-service-legacy": 3,
    "container-app": 20,
    "service-fabric": 21,
    "azure-arc": 22,
    "azure-ml": 5,
    "cloud-shell": 7,
    "kubernetes": 5,
    "kubernetes-identity-binding": 5,
}
#: The emulated agent writes its keys where the real one does, which takes root.
ARC = Path("/var/opt/azcmagent/tokens")


def played():
    """Each case with each face; a case for many hosts on one host with the one face, on another with the other.

    Rust plays it on all of them: what differs between hosts is the core's, and what Python adds is the same for all.
    """
    folder = ROOT / "tests/cases"
    for number, path in enumerate(sorted(folder.rglob("*.toml"))):
        name, case = str(path.relative_to(folder).with_suffix("")), tomllib.loads(path.read_text())
        hosts = [case.get("host", "laptop")]
        if "hosts" in case:
            everywhere = list(OWN) if case["hosts"] == ["*"] else case["hosts"]
            hosts = [host for host in everywhere if host not in case.get("except", [])]
        for turn, face in enumerate(("entrada", "entrada.aio")):
            host = hosts[(2 * number + turn) % len(hosts)]
            yield pytest.param(case, host, face, id=f"{name}@{host}-{face}")


@pytest.mark.parametrize(("case", "host", "face"), list(played()))
def test_case(case, host, face, azures, tmp_path):
    if host == "azure-arc" and os.geteuid() != 0:
        pytest.skip(f"the keys of Azure Arc are in {ARC}, where only root may write")
    azure = azures(host)
    faults = copy.deepcopy(case.get("fault", []))
    for fault in faults:
        # On Kubernetes it is Entra itself that hands out the tokens.
        if host.startswith("kubernetes") and fault.get("match", {}).get("service") == "managed-identity":
            fault["match"]["service"] = "entra"
    azure.control("PUT", "/faults", faults)
    write_files(case.get("files", {}), tmp_path)
    variables = {**os.environ, **azure.variables}
    for variable, value in case.get("environment", {}).items():
        variables[variable] = value.replace("${case}", str(tmp_path))
    asked = {
        "credential": case["credential"],
        "options": case.get("options", {}),
        "scopes": case.get("scopes", [SCOPE]),
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("case_program.py")), face],
        input=json.dumps(asked),
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)

    expect = case["expect"].get("on", {}).get(host, case["expect"])
    check(outcome, expect, host)
    if "requests" in expect:
        assert len(azure.identity_requests()) == expect["requests"]
    secrets = {
        case.get("options", {}).get("client_secret"),
        variables.get("IDENTITY_HEADER"),
        variables.get("MSI_SECRET"),
        case.get("environment", {}).get("AZURE_CLIENT_SECRET"),
        outcome.get("token"),
    }
    for secret in filter(None, secrets):
        assert secret not in done.stderr + outcome["said"] + outcome.get("text", ""), "a secret shows"


def write_files(files, folder):
    """Write a case's files; those in `bin` can be run."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if name.startswith("bin/"):
            path.chmod(0o755)


def check(outcome, expect, host):
    """Compare what came with what must come."""
    if "error" in expect:
        assert "token" not in outcome, "a token, where an error was expected"
        expected = expect["error"]
        # A chain that found nobody is a failure to its caller, as azure-identity has it.
        is_chain = "Attempted credentials:" in outcome["text"]
        wanted = "failed" if is_chain and expected["outcome"] == "unavailable" else expected["outcome"]
        assert outcome["outcome"] == wanted, outcome["text"]
        if "condition" in expected and not is_chain:
            assert outcome["condition"] == expected["condition"], outcome["text"]
        for words in expected.get("contains", []):
            assert words in outcome["text"]
        for words in expected.get("lacks", []):
            assert words not in outcome["text"]
        return
    expected = expect["token"]
    assert "token" in outcome, outcome.get("text")
    if "text" in expected:
        assert outcome["token"] == expected["text"]
        return
    payload = outcome["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    principal = expected.get("principal")
    if "identity" in expected:
        number = OWN[host] if expected["identity"] == "own" else 5
        principal = f"0b000000-0000-4000-8000-{number:012}"
    for claim, value in (("oid", principal), ("aud", expected.get("audience"))):
        assert value in (None, claims[claim])
    # Never later than the token's own end; earlier by what the answer took.
    assert claims["exp"] - 5 <= outcome["expires_on"] <= claims["exp"]
