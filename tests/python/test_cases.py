"""Plays the protocol cases of `tests/cases` through Python, sync and async, as the Rust tests do through Rust.

Each runs in a process of its own, on the machine that the case describes. Whatever comes, no secret may show up in what
was logged or said.
"""

import base64
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

HOSTS = {"laptop": "laptop", "app-service": "app-service", "virtual-machine": "vm"}
CASES = {path.stem: tomllib.loads(path.read_text()) for path in sorted((ROOT / "tests/cases").glob("*.toml"))}


@pytest.mark.parametrize("face", ["entrada", "entrada.aio"])
@pytest.mark.parametrize("name", CASES)
def test_case(name, face, azures, tmp_path):
    case = CASES[name]
    azure = azures(HOSTS[case.get("host", "laptop")])
    azure.control("PUT", "/faults", case.get("fault", []))
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

    check(outcome, case["expect"])
    if "requests" in case["expect"]:
        assert len(azure.exchanges("entra", "imds", "app-service")) == case["expect"]["requests"]
    secrets = {
        case.get("options", {}).get("client_secret"),
        variables.get("IDENTITY_HEADER"),
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


def check(outcome, expect):
    """Compare what came with what must come."""
    if "error" in expect:
        assert "token" not in outcome, "a token, where an error was expected"
        expected = expect["error"]
        # A chain that found nobody is a failure to its caller, as azure-identity has it.
        is_chain = "Attempted credentials:" in outcome["text"]
        wanted = "failed" if is_chain and expected["outcome"] == "unavailable" else expected["outcome"]
        assert outcome["outcome"] == wanted, outcome["text"]
        for words in expected["contains"]:
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
    for claim, value in (("oid", expected.get("principal")), ("aud", expected.get("audience"))):
        assert value in (None, claims[claim])
    # Never later than the token's own end; earlier by what the answer took.
    assert claims["exp"] - 5 <= outcome["expires_on"] <= claims["exp"]
