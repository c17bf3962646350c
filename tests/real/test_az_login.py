"""Every way in which the real `az login` signs in, through the gateway; and what can be done with it afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from emulator import ADA, ADA_PASSWORD, ORDERS, PEER_PROGRAMS, TENANT_ID, Ended, unmodified

GIVEN = PEER_PROGRAMS / "given.py"
ADA_OBJECT_ID = "0b000000-0000-4000-8000-000000000007"
ORDERS_OBJECT_ID = "0b000000-0000-4000-8000-000000000001"
PRINCIPAL = ["--service-principal", "--tenant", TENANT_ID, "--username", ORDERS["AZURE_CLIENT_ID"]]
AGAIN = "refresh_token"


@dataclass(frozen=True)
class Way:
    """A way to sign in."""

    words: list[str]
    #: What is granted for the sign-in itself, and for the vault's token afterwards.
    grants: list[str]
    gives: str = "nothing"


APPS = {
    "secret": Way([*PRINCIPAL, "--password", "$SECRET"], ["client_credentials"] * 2),
    "certificate": Way([*PRINCIPAL, "--certificate", "$CERTIFICATE"], ["client_credentials"] * 2),
    "federated-token": Way(
        [*PRINCIPAL, "--federated-token", "$GIVEN_ASSERTION"], ["client_credentials"] * 2, gives="assertion"
    ),
}
# A person signs in to any tenant first, and then, with the refresh token, to each tenant that az finds.
USERS = {
    "device-code": Way(["--use-device-code"], ["device_code", AGAIN, AGAIN]),
    "browser": Way([], ["authorization_code", AGAIN, AGAIN]),
    "password": Way(["--username", ADA, "--password", "$SECRET"], ["password", AGAIN, AGAIN]),
}


@pytest.fixture
def login(run, az: Path, tmp_path: Path) -> Callable[..., Ended]:
    """Runs `az login`, on a machine where nobody is signed in."""

    def login(*words: str, gives: str = "nothing", **environment: str) -> Ended:
        program = [*unmodified("az_login.py"), *words]
        path = f"{az.parent}{os.pathsep}{os.environ['PATH']}"
        return run(
            *[sys.executable, GIVEN, gives, "--", *program],
            environment={"PATH": path, "AZURE_CONFIG_DIR": str(tmp_path / "azure"), **environment},
            person=ADA,
        )

    return login


def granted(ended: Ended) -> list[str]:
    return [exchange["grant"] for exchange in ended.at("entra", 200) if exchange["path"].endswith("/token")]


def check(ended: Ended, way: Way, user: dict[str, str], object_id: str) -> None:
    ended.succeeded().says_no_secret()
    told = json.loads(ended.out)
    assert (told["user"], told["tenant"]) == (user, TENANT_ID)
    for token in (told["az"], told["credential"]):
        assert token == {"oid": object_id, "tid": TENANT_ID, "aud": "https://vault.azure.net"}
    # The credential gives what az has, and asks nobody for another.
    assert told["same token"]
    assert granted(ended) == way.grants
    assert ended.at("resource-manager", 200), "az lists the subscriptions"


@pytest.mark.parametrize("name", APPS)
def test_an_app(login, name: str):
    way = APPS[name]
    ended = login(*way.words, gives=way.gives, SECRET=ORDERS["AZURE_CLIENT_SECRET"])
    check(ended, way, {"name": ORDERS["AZURE_CLIENT_ID"], "type": "servicePrincipal"}, ORDERS_OBJECT_ID)


@pytest.mark.parametrize("name", USERS)
def test_a_person(login, name: str):
    way = USERS[name]
    ended = login(*way.words, gives=way.gives, SECRET=ADA_PASSWORD)
    check(ended, way, {"name": ADA, "type": "user"}, ADA_OBJECT_ID)
    codes = re.findall(r"enter the code (\w+)", ended.err)
    assert len(codes) == (name == "device-code")


def refused(ended: Ended, code: int) -> None:
    assert ended.code != 0
    assert f"AADSTS{code}" in ended.err
    assert "Trace ID: " in ended.err
    assert granted(ended) == []
    assert ended.out == ""
    ended.says_no_secret()


def test_an_expired_federated_token_is_refused_in_entras_words(login):
    way = APPS["federated-token"]
    ended = login(*way.words, gives=way.gives, GIVEN_EXPIRES_IN="-600")
    refused(ended, 700024)
    assert "not within its valid time range" in ended.err


def test_a_certificate_that_is_not_registered_is_refused_in_entras_words(login, tmp_path):
    stranger = tmp_path / "stranger.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stranger"]
    subprocess.run([*make, "-keyout", stranger, "-out", tmp_path / "certificate.pem"], check=True, capture_output=True)
    with stranger.open("a") as file:
        file.write((tmp_path / "certificate.pem").read_text())
    refused(login(*PRINCIPAL, "--certificate", str(stranger)), 700027)


def test_a_wrong_password_is_refused_in_entras_words(login):
    refused(login(*USERS["password"].words, SECRET="mistyped"), 50126)
