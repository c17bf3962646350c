"""Azurite behind the gateway: a storage server nobody here wrote takes our tokens, and refuses the others."""

from __future__ import annotations

import pytest
from emulator import NEWCOMER, ORDERS, rust, unmodified


@pytest.mark.parametrize("host", ["app-service", "vm"])
def test_a_managed_identity_uses_a_container_from_beginning_to_end(run, azurite, host):
    ended = run(*unmodified("blobs.py"), "managed", host=host, config=azurite.config).succeeded()
    assert ended.out.splitlines() == [
        "['2026/november.csv']",
        "['item,count', 'ring binder,12']",
        "404 BlobNotFound",
    ]
    assert len(ended.token_requests()) == 1
    ended.says_no_secret()


def test_a_service_principal_uses_a_container_from_beginning_to_end(run, azurite):
    ended = run(*unmodified("blobs.py"), config=azurite.config, environment=ORDERS).succeeded()
    assert "404 BlobNotFound" in ended.out
    assert len(ended.token_requests()) == 1
    ended.says_no_secret()


def test_ten_uploads_at_once_need_one_token(run, azurite):
    ended = run(*unmodified("blobs_async.py"), config=azurite.config, environment=ORDERS).succeeded()
    assert ended.out.split() == ["10"]
    assert "Unclosed" not in ended.err
    assert len(ended.token_requests()) == 1


def test_an_identity_without_a_role_is_refused(run, azurite):
    ended = run(*unmodified("refused.py"), config=azurite.config, environment=NEWCOMER).succeeded()
    assert ended.out.splitlines() == ["403 AuthorizationPermissionMismatch"] * 2
    assert "newcomer" in {exchange["principal"]["name"] for exchange in ended.at("blob", 403)}


def test_an_expired_token_is_refused_and_never_handed_out(run, azurite):
    ended = run(*unmodified("expired.py"), config=azurite.config, environment=ORDERS).succeeded()
    service, *credentials = ended.out.splitlines()
    assert service == "service: 401 InvalidAuthenticationInfo"
    assert credentials == ["credential: ClientAuthenticationError"] * 2


def test_azurite_itself_takes_the_token_and_refuses_an_expired_one(run, azurite):
    program = [*unmodified("blobs_directly.py"), azurite.url, azurite.certificate]
    ended = run(*program, environment=ORDERS).succeeded()
    valid, expired = ended.out.splitlines()
    assert valid == "valid: allowed"
    assert expired.startswith("expired: refused, 40")


def test_the_rust_client_uploads_and_lists(run, azurite):
    run(*unmodified("make_container.py"), "orders", config=azurite.config, environment=ORDERS).succeeded()
    first = run(rust("upload-blob"), host="vm", config=azurite.config).succeeded()
    assert first.out.splitlines() == ["2026/order-1.json"]
    assert len(first.token_requests()) == 1
    # What one program left in Azurite, another finds, in another run of the emulator.
    second = run(rust("upload-blob"), host="app-service", config=azurite.config).succeeded()
    assert second.out.splitlines() == ["2026/order-1.json"]
