"""The official clients, in programs written as for the real Azure."""

from __future__ import annotations

import sys

import pytest
from emulator import ORDERS, PROGRAMS, TENANT_ID, USER_ASSIGNED_CLIENT_ID, rust, unmodified

ADMINISTRATOR = {
    "AZURE_TENANT_ID": TENANT_ID,
    "AZURE_CLIENT_ID": "c1000000-0000-4000-8000-000000000008",
    "AZURE_CLIENT_SECRET": "platform-admin~fake.secret",
}


def test_a_secret_from_beginning_to_end(run):
    ended = run(*unmodified("secrets.py"), environment=ADMINISTRATOR).succeeded()
    assert ended.out.splitlines() == [
        "set api-key text/plain",
        "get swordfish",
        "list ['api-key', 'database-password']",
        "gone 404",
        "token 2",
    ]
    # SecretClient asks for a token that can be revoked (CAE), the provider for an ordinary one.
    assert len(ended.token_requests()) == 2
    assert "platform-admin~fake.secret" not in ended.err
    assert "eyJ" not in ended.out


def test_a_tenant_by_its_domain_is_the_one_that_key_vault_asks_for_by_its_id(run):
    by_domain = {**ORDERS, "AZURE_TENANT_ID": "contoso.onmicrosoft.com"}
    ended = run(*unmodified("default_secret.py"), environment=by_domain).succeeded()
    assert ended.out.splitlines() == ["correct horse battery staple"]
    assert [exchange["path"].split("/")[1] for exchange in ended.token_requests()] == ["contoso.onmicrosoft.com"]


def test_a_sovereign_cloud_is_asked_at_its_own_authority(run):
    ended = run(*unmodified("sovereign.py"), environment=ORDERS).succeeded()
    assert ended.out.strip() == "database-password"
    assert {exchange["host"] for exchange in ended.token_requests()} == {"login.microsoftonline.us"}
    ended.says_no_secret()


def test_one_credential_serves_two_event_loops(run):
    ended = run(*unmodified("resource_groups_async.py"), environment=ORDERS).succeeded()
    assert ended.out.splitlines() == ["2 subscriptions", "True"]
    assert len(ended.token_requests()) == 1
    assert "Unclosed" not in ended.err
    ended.says_no_secret()


def test_the_place_of_azure_identity_is_taken_from_code(run):
    ended = run(sys.executable, PROGRAMS / "installed.py", environment=ORDERS).succeeded()
    assert ended.out.splitlines() == ["True", "database-password"]
    agents = {exchange["headers"].get("user-agent", "") for exchange in ended.token_requests()}
    assert all(agent.startswith("entrada/") for agent in agents)


def test_a_wrong_secret_is_refused_in_entras_own_words(run):
    ended = run(*unmodified("wrong_secret.py"), environment=ORDERS).succeeded()
    for words in ("AADSTS7000222", "AADSTS7000215", "trace id", "correlation id"):
        assert words in ended.out
    assert "mistyped" not in ended.out + ended.err
    assert "~expired" not in ended.out + ended.err


@pytest.mark.parametrize("host", ["app-service", "vm"])
def test_the_default_chain_takes_the_managed_identity_of_the_host(run, host):
    ended = run(*unmodified("default_secret.py"), host=host).succeeded()
    assert ended.out.strip() == "correct horse battery staple"
    # The chain asks a metadata service first whether it is there.
    assert {exchange["grant"] for exchange in ended.token_requests()} == {"managed_identity"}


@pytest.mark.parametrize("host", ["app-service", "vm"])
def test_a_rust_program_takes_the_managed_identity_of_the_host(run, host):
    ended = run(rust("read-secret"), host=host).succeeded()
    assert ended.out.startswith("database-password, version ")
    ended.says_no_secret()


def test_a_rust_program_takes_the_user_assigned_identity_the_environment_names(run):
    environment = {"AZURE_CLIENT_ID": USER_ASSIGNED_CLIENT_ID}
    ended = run(rust("read-secret"), host="app-service", environment=environment).succeeded()
    assert {exchange["principal"]["name"] for exchange in ended.at("key-vault", 200)} == {"orders-identity"}


def test_a_rust_program_says_why_a_secret_was_refused(run):
    environment = {**ORDERS, "AZURE_CLIENT_SECRET": "orders-ci~mistyped.secret"}
    ended = run(rust("read-secret"), environment=environment)
    assert ended.code == 1
    assert "AADSTS7000215" in ended.err
    assert "mistyped" not in ended.err
