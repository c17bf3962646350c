"""An app that goes on as its users."""

import asyncio
import base64
import json
import pickle
import time

import entrada
import entrada.aio
import pytest
from azure.core.exceptions import ClientAuthenticationError

from hosts import SCOPE

BOTH = pytest.mark.parametrize("module", [entrada, entrada.aio])


def assertion(lifetime=3600, **claims):
    """Make a user's token that nobody has signed."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return ".".join([part({"alg": "none"}), part({"exp": int(time.time()) + lifetime, **claims}), "hunter2"])


def ask(credential, *scopes, **options):
    outcome = credential.get_token(*(scopes or (SCOPE,)), **options)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


def ask_info(credential, *scopes, **options):
    outcome = credential.get_token_info(*(scopes or (SCOPE,)), **options)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


@BOTH
@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"client_secret": "s", "user_assertion": ""}, TypeError, '"user_assertion" must not be empty'),
        ({"user_assertion": "a"}, TypeError, "must be provided"),
        ({"client_secret": "s", "client_certificate": b"x", "user_assertion": "a"}, ValueError, "more than one"),
        ({"client_secret": "s", "client_assertion_func": str, "user_assertion": "a"}, ValueError, "more than one"),
        ({"client_certificate": b"nonsense", "user_assertion": "a"}, ValueError, "certificate"),
        ({"client_assertion_func": 7, "user_assertion": "a"}, TypeError, "client_assertion_func is a function"),
    ],
)
def test_bad_arguments_are_refused_as_azure_identity_does(module, options, kind, words):
    with pytest.raises(kind, match=words):
        module.OnBehalfOfCredential("tenant", "client", **options)


@BOTH
def test_a_request_must_say_for_whom(module):
    users = module.OnBehalfOfCredential("tenant", "client", client_secret="s")
    with pytest.raises(ValueError, match="user"):
        ask(users)
    for wrong in ("", "a b"):
        with pytest.raises(ValueError, match="assertion"):
            ask(users, user_assertion=wrong)
        with pytest.raises(ValueError, match="assertion"):
            users.for_user(wrong)


@BOTH
def test_an_assertion_that_has_expired_is_refused_before_anything_is_sent(module):
    users = module.OnBehalfOfCredential("tenant", "client", client_secret="s", authority="https://127.0.0.1:1")
    expired = assertion(-3600)
    for outcome in (
        lambda: ask(users, user_assertion=expired),
        lambda: ask(users.for_user(expired)),
        lambda: ask_info(users, options={"user_assertion": expired}),
    ):
        with pytest.raises(ClientAuthenticationError, match="expired") as caught:
            outcome()
        assert "hunter2" not in str(caught.value)


@BOTH
def test_what_the_function_of_the_app_raises_comes_back(module):
    class Mine(Exception):  # noqa: N818 -- it is nobody else's
        pass

    def func():
        raise Mine

    users = module.OnBehalfOfCredential("tenant", "client", client_assertion_func=func)
    with pytest.raises(Mine):
        ask(users, user_assertion=assertion())


@BOTH
def test_a_users_credential_pickles(module):
    user = module.OnBehalfOfCredential("tenant", "client", client_secret="s").for_user(assertion(-3600))
    again = pickle.loads(pickle.dumps(user))
    assert type(again) is module.OnBehalfOfCredential
    with pytest.raises(ClientAuthenticationError, match="expired"):
        ask(again)
