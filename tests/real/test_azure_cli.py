"""The real `az`, signed in to the emulator through the gateway, behind AzureCliCredential."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from emulator import ORDERS, PROGRAMS, rust, unmodified

TELLER = """#!/bin/sh
echo "$1 $2" >> '{log}'
exec '{az}' "$@"
"""


@dataclass
class Developer:
    """Somebody's machine: an `az` that tells how often it is called, and a configuration folder nobody else uses."""

    environment: dict[str, str]
    log: Path

    def calls(self, command: str) -> int:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return lines.count(command)


@pytest.fixture
def developer(az: Path, tmp_path: Path) -> Developer:
    programs = tmp_path / "bin"
    programs.mkdir()
    log = tmp_path / "az-calls"
    teller = programs / "az"
    teller.write_text(TELLER.format(log=log, az=az))
    teller.chmod(0o755)
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "SIGN_IN_TENANT": ORDERS["AZURE_TENANT_ID"],
        "SIGN_IN_CLIENT_ID": ORDERS["AZURE_CLIENT_ID"],
        "SIGN_IN_SECRET": ORDERS["AZURE_CLIENT_SECRET"],
    }
    return Developer(environment, log)


def signed_in(*command: str | Path) -> list[str | Path]:
    return [sys.executable, PROGRAMS / "signed_in_with_az.py", *command]


def test_az_is_asked_once_for_all_threads_objects_and_loops(run, developer):
    ended = run(*signed_in(*unmodified("azure_cli.py")), environment=developer.environment).succeeded()
    subscriptions = "['Contoso Development', 'Contoso Production']"
    assert ended.out.splitlines() == ["1 token for 16 threads", subscriptions, subscriptions]
    assert developer.calls("account get-access-token") == 1
    ended.says_no_secret()


def test_the_default_chain_ends_at_az_on_a_developers_machine(run, developer):
    ended = run(*signed_in(*unmodified("default_secret.py")), environment=developer.environment).succeeded()
    assert ended.out.splitlines() == ["correct horse battery staple"]
    assert developer.calls("account get-access-token") == 1
    assert {exchange["principal"]["name"] for exchange in ended.at("key-vault", 200)} == {"orders-ci"}


def test_a_rust_program_uses_what_az_is_signed_in_as(run, developer):
    ended = run(*signed_in(rust("read-secret")), environment=developer.environment).succeeded()
    assert ended.out.startswith("database-password, version ")
    assert developer.calls("account get-access-token") == 1


def test_somebody_who_is_signed_out_is_told_to_sign_in(run, developer):
    ended = run(*unmodified("azure_cli_alone.py"), environment=developer.environment).succeeded()
    assert "az login" in ended.out
    assert developer.calls("account get-access-token") == 1


def test_the_default_chain_says_of_each_step_why_it_did_not_sign_in(run, developer):
    ended = run(*unmodified("default_secret.py"), environment=developer.environment).succeeded()
    for step in ("EnvironmentCredential", "ManagedIdentityCredential", "AzureCliCredential", "az login"):
        assert step in ended.out
    assert ended.out.startswith("ClientAuthenticationError")
