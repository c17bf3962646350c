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


API = """
import random, pickle
API, PORTAL = "c1000000-0000-4000-8000-000000000009", "orders-api~fake.secret"
GRAPH = "https://graph.microsoft.com/User.Read"

def users(**wish):
    return control("POST", "/user-tokens", wish)["tokens"]

api = make("OnBehalfOfCredential", TENANT, API, client_secret=PORTAL)
"""


@pytest.fixture
def play_api(play):
    return lambda azure, program: play(azure, API + program)


def test_an_api_goes_on_as_its_callers(azures, play_api):
    azure = azures("laptop")
    play_api(
        azure,
        """
[ada] = users()
token = ask(api, user_assertion=ada)
assert claims(token)["appid"] == API and claims(token)["oid"] == "0b000000-0000-4000-8000-000000000007"
# Three ways to say for whom, and azure-identity's own.
assert ask(api, user_assertion=ada) is token
assert ask(api.for_user(ada)) is token
assert finished(api.get_token_info(VAULT, options={"user_assertion": ada})).token == token.token
own = make("OnBehalfOfCredential", TENANT, API, client_secret=PORTAL, user_assertion=ada)
assert ask(own) is token and ask(pickle.loads(pickle.dumps(own))) is token
assert type(api.for_user(ada)) is type(api)
""",
    )
    assert len(azure.exchanges("entra")) == 1


def test_the_app_proves_itself_in_any_way(azures, play_api):
    play_api(
        azures("laptop"),
        """
[ada] = users()
with open(os.environ["ENTRADA_EMULATOR_CERTIFICATE_PFX"], "rb") as file:
    data = file.read()
password = os.environ["ENTRADA_EMULATOR_CERTIFICATE_PASSWORD"]
for chain in (False, True):
    by_certificate = make(
        "OnBehalfOfCredential", TENANT, API, client_certificate=data, password=password, send_certificate_chain=chain
    )
    assert ask(by_certificate, user_assertion=ada)
wrong = make("OnBehalfOfCredential", TENANT, API, client_secret="orders-api~wrong.secret", user_assertion=ada)
error = raised(ClientAuthenticationError, wrong)
assert "AADSTS7000215" in str(error) and "wrong.secret" not in str(error) and ada not in str(error), error
""",
    )


def test_many_users_at_once_never_get_each_others_tokens(azures, play_api):
    play_api(
        azures("laptop"),
        """
crowd = users(first=0, count=60)
names = [claims(type("", (), {"token": assertion}))["oid"] for assertion in crowd]
shuffled = [number for number in range(60)] * 4
random.Random(7).shuffle(shuffled)
wrong = []

def check(number, token):
    if claims(token)["oid"] != names[number]:
        wrong.append(number)

if face is entrada:
    def work(numbers):
        for number in numbers:
            check(number, api.get_token(VAULT, user_assertion=crowd[number]))
    threads = [threading.Thread(target=work, args=(shuffled[part::8],)) for part in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
else:
    async def one(number):
        check(number, await api.get_token(VAULT, user_assertion=crowd[number]))
    async def main():
        await asyncio.gather(*map(one, shuffled))
    asyncio.run(main())
assert not wrong
assert len(set(names)) == 60
""",
    )


def test_a_user_who_must_act_first_is_told_with_the_claims_to_pass_on(azures, play_api):
    azure = azures("laptop")
    ada = "ada@contoso.onmicrosoft.com"
    try:
        azure.control("PUT", "/users", {"user": ada, "mfa": "required"})
        play_api(
            azure,
            """
[ada] = users()
error = raised(ClientAuthenticationError, api, user_assertion=ada)
assert type(error) is entrada.InteractionRequiredError, type(error)
assert "AADSTS50076" in str(error) and ada not in str(error), error
assert "polids" in json.loads(error.claims)["access_token"] and list(error.scopes) == [VAULT]
again = pickle.loads(pickle.dumps(error))
assert (type(again), again.claims, str(again)) == (type(error), error.claims, str(error))
# It is no chain's business to go on past it as somebody else.
other = make("ClientSecretCredential", TENANT, APP, "orders-ci~fake.secret")
told = raised(ClientAuthenticationError, make("ChainedTokenCredential", api.for_user(ada), other))
assert "AADSTS50076" in str(told), told
[proven] = users(mfa=True)
assert ask(api, user_assertion=proven)
""",
        )
    finally:
        azure.control("PUT", "/users", {"user": ada, "mfa": "not_required"})
