"""A vault of another tenant than the app's own, which its challenge names: read where that is allowed only."""

from __future__ import annotations

import sys

import pytest
from emulator import ORDERS, PEER_PROGRAMS, TENANT_ID, Ended

PROGRAM = PEER_PROGRAMS / "other_tenant.py"
FABRIKAM = "7e000000-0000-4000-8000-000000000004"
PASSWORDS = ["correct horse battery staple"] * 2
PEERS = {
    "sync": [sys.executable, PROGRAM, "sync"],
    "aio": [sys.executable, PROGRAM, "aio"],
    "entrada": [sys.executable, "-m", "entrada", PROGRAM, "sync"],
    "entrada-aio": [sys.executable, "-m", "entrada", PROGRAM, "aio"],
}
OURS = ["entrada", "entrada-aio"]


def tenants_asked(ended: Ended) -> list[str]:
    return [exchange["path"].split("/")[1] for exchange in ended.token_requests()]


@pytest.mark.parametrize("allowed", ["*", FABRIKAM])
@pytest.mark.parametrize("peer", PEERS)
def test_it_is_read_with_a_token_of_its_own_tenant(run, peer: str, allowed: str):
    ended = run(*PEERS[peer], allowed, environment=ORDERS).succeeded()
    assert ended.out.splitlines() == PASSWORDS
    assert tenants_asked(ended) == [FABRIKAM], "the home tenant need not be asked, and the other one once"
    assert [exchange["status"] for exchange in ended.at("key-vault")] == [401, 200, 200]
    ended.says_no_secret()


@pytest.mark.parametrize("peer", PEERS)
def test_a_tenant_that_is_not_allowed_is_not_asked(run, peer: str):
    ended = run(*PEERS[peer], environment=ORDERS).succeeded()
    assert ended.out.startswith("ClientAuthenticationError: ")
    assert FABRIKAM in ended.out
    assert "additionally_allowed_tenants" in ended.out
    assert ended.at("entra") == []
    # azure-identity leaves the reader to find out which tenant the credential has.
    assert (TENANT_ID in ended.out) is (peer in OURS)


@pytest.mark.parametrize("peer", PEERS)
def test_who_forbids_all_other_tenants_gets_a_token_of_the_home_tenant_and_the_vault_refuses_it(run, peer: str):
    environment = {**ORDERS, "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH": "true"}
    ended = run(*PEERS[peer], "*", environment=environment).succeeded()
    assert "AKV10032" in ended.out
    assert tenants_asked(ended) == [TENANT_ID]


@pytest.mark.parametrize("peer", OURS)
def test_the_domain_of_a_tenant_is_not_taken_for_its_id(run, peer: str):
    ended = run(*PEERS[peer], "fabrikam.onmicrosoft.com", environment=ORDERS).succeeded()
    assert f'add "{FABRIKAM}"' in ended.out
    assert ended.at("entra") == []
