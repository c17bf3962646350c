"""Which exception is raised, what it says, and what it does not."""

import asyncio
import logging
import pickle

import entrada
import entrada.aio
import pytest
from azure.core.exceptions import ClientAuthenticationError

from hosts import SCOPE

SECRET = "hunter2~hunter2"


def unreachable(module=entrada):
    return module.ClientSecretCredential("tenant", "client", SECRET, authority="https://127.0.0.1:1")


def ask(credential, *scopes, **options):
    outcome = credential.get_token(*scopes, **options)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


def raised(credential, *scopes, **options) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- the tests look at it
        ask(credential, *scopes, **options)
    return caught.value


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_what_is_not_set_up_is_unavailable(module):
    error = raised(module.EnvironmentCredential(), SCOPE)
    assert isinstance(error, entrada.CredentialUnavailableError)
    assert isinstance(error, ClientAuthenticationError)
    assert "AZURE_CLIENT_SECRET" in error.message
    assert error.message == str(error)


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_what_breaks_is_a_failure(module):
    error = raised(unreachable(module), SCOPE)
    assert type(error) is ClientAuthenticationError
    assert "127.0.0.1" in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_a_default_chain_with_nothing_lists_what_was_tried(module, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    error = raised(module.DefaultAzureCredential(), SCOPE)
    assert type(error) is not entrada.CredentialUnavailableError
    assert isinstance(error, ClientAuthenticationError)
    for words in ("EnvironmentCredential", "ManagedIdentityCredential", "AzureCliCredential", "az login"):
        assert words in error.message


@pytest.mark.parametrize("module", [entrada, entrada.aio])
@pytest.mark.parametrize(
    ("scopes", "words"), [((), "at least one scope"), (("a", "b"), "exactly one scope"), (("a b",), "is not a scope")]
)
def test_bad_scopes_are_value_errors(module, scopes, words):
    error = raised(module.ManagedIdentityCredential(), *scopes)
    assert type(error) is ValueError
    assert words in str(error)


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_a_list_of_scopes_is_a_type_error(module):
    error = raised(module.ManagedIdentityCredential(), [SCOPE])
    assert type(error) is TypeError
    assert "several arguments" in str(error)


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_no_secret_shows(module):
    credential = unreachable(module)
    error = raised(credential, SCOPE)
    shown = [repr(credential), str(credential), repr(vars(credential)), repr(error), str(error), repr(vars(error))]
    frame = error.__traceback__
    while frame is not None:
        if "entrada" in frame.tb_frame.f_code.co_filename:
            shown.append(repr(frame.tb_frame.f_locals))
        frame = frame.tb_next
    assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_a_constructor_that_fails_leaves_no_secret_in_its_frames(module):
    with pytest.raises(ValueError, match="is not a tenant id") as caught:
        module.ClientSecretCredential("not a tenant", "client", SECRET)
    frame = caught.value.__traceback__.tb_next
    assert frame is not None, "the constructor's own frame"
    while frame is not None:
        assert SECRET not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


def test_a_person_must_act_is_an_exception_that_says_for_what():
    error = entrada.AuthenticationRequiredError(["s"], claims="{}")
    assert isinstance(error, entrada.CredentialUnavailableError)
    assert (error.scopes, error.claims) == (["s"], "{}")
    assert "authenticate" in error.message


def test_errors_pickle():
    for error in (
        raised(entrada.EnvironmentCredential(), SCOPE),
        raised(entrada.DefaultAzureCredential(exclude_managed_identity_credential=True), SCOPE, claims="{}"),
        entrada.AuthenticationRequiredError(["s"], claims="{}"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error)
        assert isinstance(error, type(again))


def test_a_failure_is_logged_with_its_text_and_without_secrets(caplog):
    with caplog.at_level(logging.DEBUG, "azure.identity"):
        raised(unreachable(), SCOPE)
    (record,) = [record for record in caplog.records if record.name == "azure.identity"]
    assert record.levelno == logging.WARNING
    assert "ClientSecretCredential.get_token failed" in record.getMessage()
    assert SECRET not in caplog.text


def test_a_fetch_is_logged_once_and_a_hit_is_not(identity_host, caplog):
    credential = entrada.ManagedIdentityCredential()
    with caplog.at_level(logging.INFO, "azure.identity"):
        credential.get_token(SCOPE)
        credential.get_token(SCOPE)
    assert [record.getMessage() for record in caplog.records] == ["ManagedIdentityCredential.get_token succeeded"]
    assert "token-1" not in caplog.text


@pytest.mark.parametrize("module", [entrada, entrada.aio])
def test_credentials_pickle_their_configuration_and_no_token(module, identity_host):
    credential = module.ManagedIdentityCredential(client_id="c1")
    ask(credential, SCOPE)
    pickled = pickle.dumps(credential)
    assert b"token-1" not in pickled
    again = pickle.loads(pickled)
    assert type(again) is module.ManagedIdentityCredential
    assert ask(again, SCOPE).token == "token-1"


def test_a_subclass_that_forgets_to_configure_itself_is_told():
    class Mine(entrada.ClientSecretCredential):
        def __init__(self) -> None:
            pass

    error = raised(Mine(), SCOPE)
    assert "super().__init__()" in str(error)
