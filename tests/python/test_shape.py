"""The same names and arguments as azure-identity's."""

import importlib
import inspect

import entrada
import entrada.aio
import pytest
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

NAMES = ["entrada", "entrada.aio"]
CREDENTIALS = [
    "AzureCliCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "ManagedIdentityCredential",
    "WorkloadIdentityCredential",
]
#: Arguments without which a credential cannot be constructed.
NEEDED = {
    "ClientAssertionCredential": ("t", "c", lambda: "a"),
    "ClientSecretCredential": ("t", "c", "s"),
}
OPTIONS = {"WorkloadIdentityCredential": {"tenant_id": "t", "client_id": "c", "token_file_path": "f"}}


def modules(name):
    return importlib.import_module(name), importlib.import_module(name.replace("entrada", "azure.identity"))


def parameters(function):
    """Name, kind and default of all parameters but self."""
    return [
        (parameter.name, parameter.kind, parameter.default)
        for parameter in list(inspect.signature(function).parameters.values())
        if parameter.name != "self"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_all_names_are_theirs_and_all_of_theirs_are_known(name):
    ours, theirs = modules(name)
    absent = importlib.import_module("entrada._absent").NOT_YET
    added = importlib.import_module("entrada._install").ADDED[theirs.__name__]
    assert set(ours.__all__) - set(theirs.__all__) == added
    assert set(theirs.__all__) - set(ours.__all__) <= absent
    assert not absent & set(ours.__all__)
    for each in ours.__all__:
        assert getattr(ours, each).__module__ in ("entrada", "entrada.aio", f"{name}._bearer_token")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_constructors_take_the_same(name, credential):
    ours, theirs = (getattr(module, credential) for module in modules(name))
    assert parameters(ours.__init__) == parameters(theirs.__init__)
    assert ours.__doc__


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("method", ["get_token", "get_token_info", "close"])
def test_methods_take_at_least_the_same(name, credential, method):
    ours, theirs = (getattr(getattr(module, credential), method) for module in modules(name))
    # Some of theirs take enable_cae by name, some among others.
    assert [each for each in parameters(theirs) if each not in parameters(ours)] == []
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs)
    assert ours.__doc__


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_credentials_are_context_managers_as_theirs(name, credential):
    ours, theirs = (getattr(module, credential) for module in modules(name))
    for method in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
        assert hasattr(ours, method) == hasattr(theirs, method)


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_credentials_are_what_azure_core_asks_for(credential):
    arguments, options = NEEDED.get(credential, ()), OPTIONS.get(credential, {})
    if credential == "ChainedTokenCredential":
        arguments = (entrada.EnvironmentCredential(),)
    sync = getattr(entrada, credential)(*arguments, **options)
    assert isinstance(sync, TokenCredential)
    assert isinstance(sync, SupportsTokenInfo)
    if credential == "ChainedTokenCredential":
        arguments = (entrada.aio.EnvironmentCredential(),)
    asynchronous = getattr(entrada.aio, credential)(*arguments, **options)
    assert isinstance(asynchronous, AsyncTokenCredential)
    assert isinstance(asynchronous, AsyncSupportsTokenInfo)


@pytest.mark.parametrize("name", NAMES)
def test_a_default_chain_is_a_chain(name):
    ours, _ = modules(name)
    assert issubclass(ours.DefaultAzureCredential, ours.ChainedTokenCredential)


def test_exceptions_and_options_take_the_same():
    ours, theirs = modules("entrada")
    for each in ("AuthenticationRequiredError", "CredentialUnavailableError"):
        mine, base = getattr(ours, each), getattr(theirs, each).__mro__[1]
        assert base.__name__ in [kind.__name__ for kind in mine.__mro__]
    assert [each[0] for each in parameters(ours.AuthenticationRequiredError.__init__)] == [
        each[0] for each in parameters(theirs.AuthenticationRequiredError.__init__)
    ]
    ours_options, theirs_options = ours.TokenCachePersistenceOptions(), theirs.TokenCachePersistenceOptions()
    assert vars(ours_options) == vars(theirs_options)
    assert str(inspect.signature(ours.get_bearer_token_provider).parameters.keys()) == str(
        inspect.signature(theirs.get_bearer_token_provider).parameters.keys()
    )
