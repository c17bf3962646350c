"""A token that is at hand."""

import asyncio
import time

import entrada
import entrada.aio

from hosts import SCOPE


def test_the_same_object_is_returned_until_the_token_changes(identity_host):
    credential = entrada.ManagedIdentityCredential()
    first = credential.get_token(SCOPE)
    assert credential.get_token(SCOPE) is first
    other = credential.get_token("https://storage.azure.com/.default")
    assert other.token != first.token
    assert credential.get_token(SCOPE) is first
    assert len(identity_host.requests) == 2


def test_credentials_constructed_alike_share_tokens_sync_and_async(identity_host):
    first = entrada.ManagedIdentityCredential().get_token(SCOPE)
    assert entrada.ManagedIdentityCredential().get_token(SCOPE) is first
    assert asyncio.run(entrada.aio.ManagedIdentityCredential().get_token(SCOPE)) == first
    assert entrada.DefaultAzureCredential().get_token(SCOPE) == first
    assert identity_host.requests[0] == identity_host.requests[-1]


def test_different_identities_share_nothing(identity_host):
    system = entrada.ManagedIdentityCredential().get_token(SCOPE)
    user = entrada.ManagedIdentityCredential(client_id="c1").get_token(SCOPE)
    assert system.token != user.token
    assert [("client_id=c1" in request) for request in identity_host.requests] == [False, True]


def test_token_and_expiry_are_what_the_host_said(identity_host):
    token = entrada.ManagedIdentityCredential().get_token(SCOPE)
    text, expires_on = token
    assert (text, expires_on) == (token.token, token.expires_on) == ("token-1", token.expires_on)
    assert abs(expires_on - time.time() - 86400) < 60


def test_every_caller_has_an_info_of_its_own(identity_host):
    credential = entrada.ManagedIdentityCredential()
    one, two = credential.get_token_info(SCOPE), credential.get_token_info(SCOPE)
    assert (one.token, one.token_type, one.refresh_on) == ("token-1", "Bearer", None)
    one.expires_on = 0
    assert two.expires_on == credential.get_token(SCOPE).expires_on
    assert len(identity_host.requests) == 1


def test_claims_go_past_the_cache_and_replace_what_is_there(identity_host):
    credential = entrada.ManagedIdentityCredential()
    credential.get_token(SCOPE)
    fresh = credential.get_token(SCOPE, claims='{"access_token":{}}')
    assert fresh.token == "token-2"
    assert credential.get_token(SCOPE) == fresh


def test_empty_options_are_no_options(identity_host):
    credential = entrada.ManagedIdentityCredential()
    first = credential.get_token(SCOPE)
    assert credential.get_token(SCOPE, claims=None, tenant_id="", enable_cae=False) is first
    assert credential.get_token_info(SCOPE, options={"claims": "", "enable_cae": False}).token == first.token
    assert len(identity_host.requests) == 1


IDENTITY = """
import sys
import entrada

credential = entrada.ManagedIdentityCredential()
token = credential.get_token("https://vault.azure.net/.default")
info = credential.get_token_info("https://vault.azure.net/.default")
assert "azure.core" not in sys.modules and "azure" not in sys.modules, sorted(sys.modules)
for name in ("asyncio", "typing", "logging", "dataclasses", "re", "enum", "collections.abc"):
    assert name not in sys.modules or name in before, name
assert type(token) is entrada.AccessToken and type(info) is entrada.AccessTokenInfo
assert "token-1" not in repr(token) + repr(info) + str(token)

import azure.core.credentials as theirs

again = credential.get_token("https://vault.azure.net/.default")
assert type(again) is theirs.AccessToken and again == token and hash(again) == hash(token)
assert token == theirs.AccessToken("token-1", token.expires_on)
assert token._asdict() == again._asdict() and token._replace(token="x").token == "x" and token._fields == again._fields
import copy, pickle
assert type(pickle.loads(pickle.dumps(token))) is entrada.AccessToken and copy.deepcopy(token) == token
info = credential.get_token_info("https://vault.azure.net/.default")
assert type(info) is theirs.AccessTokenInfo and info.token == "token-1"
"""


def test_azure_core_is_not_imported_but_used_as_soon_as_it_is(identity_host, run):
    run("import sys; before = set(sys.modules)\n" + IDENTITY)
    assert len(identity_host.requests) == 1
