"""The same names and arguments as azure-identity's."""

import importlib
import inspect
import warnings
from types import SimpleNamespace

import entrada
import entrada.aio
import pytest
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

NAMES = ["entrada", "entrada.aio"]
BOTH = [
    "AuthorizationCodeCredential",
    "AzureCliCredential",
    "AzurePipelinesCredential",
    "CertificateCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "ManagedIdentityCredential",
    "OnBehalfOfCredential",
    "WorkloadIdentityCredential",
]
#: What azure-identity has in its synchronous half only.
SYNC = ["DeviceCodeCredential", "InteractiveBrowserCredential", "UsernamePasswordCredential"]
#: Ours: what azure-identity's asynchronous half should look like.
THEIRS = [(name, credential) for name in NAMES for credential in BOTH]
THEIRS += [("entrada", credential) for credential in SYNC]
#: Arguments without which a credential cannot be constructed.
NEEDED = {
    "AuthorizationCodeCredential": ("t", "c", "code", "https://app.example/back"),
    "CertificateCredential": ("t", "c"),
    "ClientAssertionCredential": ("t", "c", lambda: "a"),
    "ClientSecretCredential": ("t", "c", "s"),
    "CommandCredential": ("/bin/true",),
    "OnBehalfOfCredential": ("t", "c"),
    "StaticTokenCredential": ("t",),
    "TokenFileCredential": ("t",),
    "UsernamePasswordCredential": ("c", "u", "p"),
}
OPTIONS = {
    "CertificateCredential": {"signer": SimpleNamespace(algorithm="PS256", certificate=b"", sign=lambda data: data)},
    "OnBehalfOfCredential": {"client_secret": "s", "user_assertion": "e30.e30.c2ln"},
    "StaticTokenCredential": {"expires_on": 2**40},
    "WorkloadIdentityCredential": {"tenant_id": "t", "client_id": "c", "token_file_path": "f"},
}
#: Arguments that azure-identity needs and we do not: the job's variables, and each request, tell them.
OPTIONAL = {
    "AzurePipelinesCredential": {"tenant_id", "client_id", "service_connection_id", "system_access_token"},
    "OnBehalfOfCredential": {"user_assertion"},
}
#: azure-identity's asynchronous half lacks it.
SYNC_ARGUMENTS = {"OnBehalfOfCredential": {"send_certificate_chain"}}


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


def without(function, names):
    """Return a function's parameters; whether those of some names have defaults does not matter."""
    return [(each[0], each[1], None if each[0] in names else each[2]) for each in parameters(function)]


@pytest.mark.parametrize(("name", "credential"), THEIRS)
def test_constructors_take_the_same(name, credential):
    ours, theirs = (getattr(module, credential) for module in modules(name))
    optional = OPTIONAL.get(credential, set())
    more = SYNC_ARGUMENTS.get(credential, set()) if name == "entrada.aio" else set()
    taken = [each for each in without(ours.__init__, optional) if each[0] not in more]
    assert taken == without(theirs.__init__, optional)
    assert ours.__doc__


@pytest.mark.parametrize("credential", [*SYNC, "GitHubActionsCredential", "StaticTokenCredential", "CommandCredential"])
def test_what_only_we_have_in_both_halves_is_constructed_alike(credential):
    sync, asynchronous = getattr(entrada, credential), getattr(entrada.aio, credential)
    assert parameters(sync.__init__) == parameters(asynchronous.__init__)


@pytest.mark.parametrize(("name", "credential"), THEIRS)
@pytest.mark.parametrize("method", ["get_token", "get_token_info", "close"])
def test_methods_take_at_least_the_same(name, credential, method):
    ours, theirs = (getattr(getattr(module, credential), method) for module in modules(name))
    # Some of theirs take enable_cae by name, some among others.
    assert [each for each in parameters(theirs) if each not in parameters(ours)] == []
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs)
    assert ours.__doc__


@pytest.mark.parametrize(("name", "credential"), THEIRS)
def test_credentials_are_context_managers_as_theirs(name, credential):
    ours, theirs = (getattr(module, credential) for module in modules(name))
    for method in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
        assert hasattr(ours, method) == hasattr(theirs, method)


@pytest.mark.parametrize("credential", [name for name in entrada.aio.__all__ if name.endswith("Credential")])
def test_credentials_are_what_azure_core_asks_for(credential):
    arguments, options = NEEDED.get(credential, ()), OPTIONS.get(credential, {})
    warnings.simplefilter("ignore", DeprecationWarning)
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


@pytest.mark.parametrize("credential", SYNC)
def test_authenticate_takes_the_same(credential):
    import azure.identity

    theirs = getattr(azure.identity, credential).authenticate
    for module in (entrada, entrada.aio):
        ours = getattr(module, credential).authenticate
        assert parameters(ours) == parameters(theirs)
        assert inspect.iscoroutinefunction(ours) == (module is entrada.aio)
