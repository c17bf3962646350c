"""Chains with members of any kind."""

import asyncio
import pickle

import azure.identity
import azure.identity.aio
import entrada
import entrada.aio
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError

from hosts import SCOPE


class Mine:
    """A user's own credential."""

    def __init__(self, answer) -> None:
        self.answer, self.calls, self.closed = answer, [], False

    def get_token(self, *scopes, **options):
        self.calls.append((scopes, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return AccessToken(self.answer, 4_000_000_000)

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        self.closed = True


class MineAsync(Mine):
    async def get_token(self, *scopes, **options):
        return super().get_token(*scopes, **options)

    async def close(self):
        self.closed = True


class InformedOnly:
    def get_token_info(self, *scopes, options=None):
        return AccessTokenInfo(f"info for {scopes[0]} {options}", 4_000_000_000)


UNAVAILABLE = [entrada.CredentialUnavailableError("not here"), azure.identity.CredentialUnavailableError("not here")]


def test_members_of_ours_alone_are_one_chain(identity_host):
    chain = entrada.ChainedTokenCredential(entrada.EnvironmentCredential(), entrada.ManagedIdentityCredential())
    first = chain.get_token(SCOPE)
    assert first.token == "token-1"
    assert chain.get_token(SCOPE) is first
    assert chain.get_token_info(SCOPE).token == "token-1"


@pytest.mark.parametrize("unavailable", UNAVAILABLE)
def test_a_chain_goes_on_where_somebody_is_not_set_up_and_remembers_who_was(identity_host, unavailable):
    absent, unused = Mine(unavailable), Mine("unused")
    chain = entrada.ChainedTokenCredential(absent, entrada.ManagedIdentityCredential(), unused)
    first = chain.get_token(SCOPE)
    assert chain.get_token(SCOPE) == first
    chain.get_token("https://storage.azure.com/.default")
    assert (len(absent.calls), len(unused.calls), len(identity_host.requests)) == (1, 0, 2)


@pytest.mark.parametrize("unavailable", UNAVAILABLE)
def test_the_same_asynchronously(identity_host, unavailable):
    absent, unused = MineAsync(unavailable), MineAsync("unused")

    async def main():
        chain = entrada.aio.ChainedTokenCredential(absent, entrada.aio.ManagedIdentityCredential(), unused)
        async with chain:
            return [await chain.get_token(SCOPE), await chain.get_token(SCOPE), await chain.get_token_info(SCOPE)]

    assert {token.token for token in asyncio.run(main())} == {"token-1"}
    assert (len(absent.calls), len(unused.calls)) == (1, 0)
    assert absent.closed
    assert unused.closed


def test_somebody_elses_credential_may_be_the_one(identity_host):
    mine = Mine("mine")
    chain = entrada.ChainedTokenCredential(entrada.EnvironmentCredential(), mine)
    for _ in range(2):
        assert chain.get_token(SCOPE, tenant_id="t", enable_cae=True).token == "mine"
    assert chain.get_token_info(SCOPE).token == "mine"
    assert mine.calls[0] == ((SCOPE,), {"tenant_id": "t", "enable_cae": True})
    assert identity_host.requests == []


def test_a_member_with_one_method_serves_both():
    chain = entrada.ChainedTokenCredential(InformedOnly())
    assert chain.get_token("s").token == "info for s {}"
    assert chain.get_token_info("s", options={"tenant_id": "t"}).token == "info for s {'tenant_id': 't'}"


@pytest.mark.parametrize("failure", [ClientAuthenticationError("refused"), RuntimeError("refused")])
def test_a_chain_stops_at_a_failure(failure):
    unused = Mine("unused")
    chain = entrada.ChainedTokenCredential(entrada.EnvironmentCredential(), Mine(failure), unused)
    with pytest.raises(ClientAuthenticationError) as caught:
        chain.get_token(SCOPE)
    text = caught.value.message
    assert "Mine is set up but failed" in text
    assert "EnvironmentCredential" in text
    assert "refused" in text
    assert caught.value.__cause__ is failure
    assert unused.calls == []


def test_where_nobody_is_set_up_all_are_listed_and_an_outer_chain_goes_on(identity_host):
    inner = entrada.ChainedTokenCredential(Mine(UNAVAILABLE[0]), entrada.EnvironmentCredential())
    with pytest.raises(ClientAuthenticationError) as caught:
        inner.get_token(SCOPE)
    assert not isinstance(caught.value, entrada.CredentialUnavailableError)
    assert "not here" in caught.value.message
    assert "AZURE_CLIENT_SECRET" in caught.value.message
    outer = entrada.ChainedTokenCredential(inner, entrada.ManagedIdentityCredential())
    assert outer.get_token(SCOPE).token == "token-1"


def test_a_mistake_of_the_caller_is_no_failure_of_a_member():
    with pytest.raises(ValueError, match="at least one scope"):
        entrada.ChainedTokenCredential(entrada.ManagedIdentityCredential(), Mine("x")).get_token()


def test_azure_identitys_chain_goes_on_after_ours():
    mine = Mine("mine")
    assert azure.identity.ChainedTokenCredential(entrada.EnvironmentCredential(), mine).get_token(SCOPE).token == "mine"


def test_a_replaced_method_counts(identity_host, monkeypatch):
    ours = entrada.ManagedIdentityCredential()
    monkeypatch.setattr(ours, "get_token", lambda *_scopes, **_options: AccessToken("replaced", 1))
    assert entrada.ChainedTokenCredential(ours).get_token(SCOPE).token == "replaced"


def test_what_is_no_credential_is_refused():
    for module in (entrada, entrada.aio):
        with pytest.raises(ValueError, match="at least one credential is required"):
            module.ChainedTokenCredential()
        with pytest.raises(TypeError, match="has no get_token"):
            module.ChainedTokenCredential("not a credential")


def test_closing_a_chain_closes_its_members():
    mine = Mine("mine")
    with entrada.ChainedTokenCredential(mine) as chain:
        chain.get_token(SCOPE)
    assert mine.closed


@pytest.mark.parametrize("module", [entrada, entrada.aio])
@pytest.mark.parametrize("chains", [azure.identity, entrada])
def test_who_may_not_ask_a_person_gives_way(module, chains):
    """In azure-identity's chain too."""
    if module is entrada.aio:
        chains = __import__(f"{chains.__name__}.aio", fromlist=["aio"])
    silent = module.DeviceCodeCredential(disable_automatic_authentication=True)
    token = module.StaticTokenCredential("opaque", expires_on=4_000_000_000)
    foreign = (Mine if module is entrada else MineAsync)("theirs")
    for member, expected in ((token, "opaque"), (foreign, "theirs")):
        chain = chains.ChainedTokenCredential(silent, member)
        outcome = chain.get_token(SCOPE)
        assert (asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome).token == expected
    with pytest.raises(azure.identity.AuthenticationRequiredError) as caught:
        asyncio.run(silent.get_token(SCOPE)) if module is entrada.aio else silent.get_token(SCOPE)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is entrada.AuthenticationRequiredError
    assert list(again.scopes) == list(caught.value.scopes) == [SCOPE]
