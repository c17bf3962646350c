"""What constructors take, refuse and warn of."""

import warnings

import entrada
import entrada.aio
import pytest

from hosts import SCOPE


def made(module, name, *arguments, **options):
    """Construct a credential; return it and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        credential = getattr(module, name)(*arguments, **options)
    return credential, [str(warning.message) for warning in caught]


BOTH = pytest.mark.parametrize("module", [entrada, entrada.aio])


@BOTH
def test_an_unknown_argument_is_named_with_its_nearest(module):
    _, said = made(module, "ClientSecretCredential", "t", "c", "s", authorty="x", retry_total=3)
    assert len(said) == 1
    assert "'authorty'; did you mean 'authority'?" in said[0]
    assert "'retry_total' is not applied" in said[0]


@BOTH
def test_what_asks_for_nothing_is_not_warned_of(module):
    options = {"connection_verify": True, "proxies": None, "user_agent": "app/1", "disable_instance_discovery": True}
    for name, arguments in [("ClientSecretCredential", ("t", "c", "s")), ("DefaultAzureCredential", ())]:
        assert made(module, name, *arguments, **options)[1] == []


@BOTH
def test_what_would_change_trust_is_warned_of_with_the_remedy(module):
    _, said = made(module, "ManagedIdentityCredential", connection_verify=False, proxies={"https": "http://p"})
    assert "SSL_CERT_FILE" in said[0]
    assert "HTTPS_PROXY" in said[0]


def test_the_warning_points_at_the_callers_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        entrada.EnvironmentCredential(nothing=1)
    assert caught[0].filename == __file__


def test_a_request_with_an_unknown_argument_is_warned_of(identity_host):
    credential = entrada.ManagedIdentityCredential()
    with pytest.warns(UserWarning, match="get_token: there is no argument 'tenant'; did you mean 'tenant_id'"):
        credential.get_token(SCOPE, tenant="t")
    with pytest.warns(UserWarning, match="get_token_info: there is no argument 'pop'"):
        credential.get_token_info(SCOPE, options={"pop": {}})


@BOTH
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("", "c", "s"), "the tenant id is empty"),
        ((None, "c", "s"), "the tenant id is empty"),
        (("t t", "c", "s"), "is not a tenant id"),
        (("t", None, "s"), "the client id is empty"),
        (("t", "c", None), "the client secret is empty"),
        (("t", "c", "s\n"), "line end"),
    ],
)
def test_bad_arguments_of_an_app_are_value_errors(module, arguments, words):
    with pytest.raises(ValueError, match=words):
        module.ClientSecretCredential(*arguments)


@BOTH
@pytest.mark.parametrize("authority", ["http://login.microsoftonline.com", "https://h/path?query", ""])
def test_bad_authorities_are_value_errors(module, authority):
    with pytest.raises(ValueError, match=r"login\.microsoftonline\.com"):
        module.ClientSecretCredential("t", "c", "s", authority=authority)


@BOTH
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"client_id": "a", "identity_config": {"object_id": "b"}}, "only one of them"),
        ({"identity_config": {"object_id": "b", "resource_id": "r"}}, "one is enough"),
        ({"identity_config": {"mi_res_id": "r"}}, "'resource_id'"),
        ({"client_id": ""}, "empty"),
        ({"identity_config": {"object_id": "no guid"}}, "object id"),
    ],
)
def test_bad_names_of_an_identity_are_value_errors(module, options, words):
    with pytest.raises(ValueError, match=words):
        module.ManagedIdentityCredential(**options)


def test_identities_are_named_three_ways(identity_host):
    guid = "00000000-0000-4000-8000-000000000001"
    resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
    for config in ({"client_id": guid}, {"object_id": guid}, {"resource_id": resource}, {}):
        entrada.ManagedIdentityCredential(identity_config=config).get_token(SCOPE)
    asked = [request.partition("vault.azure.net")[2].partition("=")[0] for request in identity_host.requests]
    assert asked == ["&client_id", "&principal_id", "&mi_res_id", ""]


@BOTH
def test_the_cli_takes_no_other_arguments(module):
    with pytest.raises(TypeError, match="unexpected keyword"):
        module.AzureCliCredential(authority="x")
    with pytest.raises(ValueError, match="process_timeout"):
        module.AzureCliCredential(process_timeout=0)
    with pytest.raises(ValueError, match="subscription"):
        module.AzureCliCredential(subscription="--debug")


@BOTH
def test_the_default_chain_refuses_a_tenant_as_azure_identity_does(module):
    with pytest.raises(TypeError, match=r"'tenant_id' is not supported in DefaultAzureCredential\."):
        module.DefaultAzureCredential(tenant_id="t")


@BOTH
def test_the_default_chain_can_require_its_variable(module, monkeypatch):
    with pytest.raises(ValueError, match="AZURE_TOKEN_CREDENTIALS environment variable is required"):
        module.DefaultAzureCredential(require_envvar=True)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")
    module.DefaultAzureCredential(require_envvar=True)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "production")
    with pytest.raises(ValueError, match="AZURE_TOKEN_CREDENTIALS"):
        module.DefaultAzureCredential()


EXCLUSIONS = [
    "environment",
    "workload_identity",
    "managed_identity",
    "shared_token_cache",
    "visual_studio_code",
    "cli",
    "developer_cli",
    "powershell",
    "interactive_browser",
    "broker",
]


@BOTH
def test_every_exclusion_of_azure_identity_is_taken_in_silence(module):
    options = {f"exclude_{name}_credential": True for name in EXCLUSIONS if name != "cli"}
    assert made(module, "DefaultAzureCredential", **options)[1] == []
    with pytest.raises(ValueError, match="at least one credential"):
        module.DefaultAzureCredential(**options, exclude_cli_credential=True)


@BOTH
def test_to_rely_on_a_credential_that_is_not_there_is_warned_of(module):
    options = {"exclude_interactive_browser_credential": False, "workload_identity_client_id": "c"}
    _, said = made(module, "DefaultAzureCredential", **options)
    assert "InteractiveBrowserCredential" in said[0]
    assert "WorkloadIdentityCredential" in said[0]


def test_the_default_chain_chooses_the_identity(identity_host, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_ID", "from-variable")
    for options in ({}, {"managed_identity_client_id": "given"}, {"managed_identity_client_id": None}):
        entrada.DefaultAzureCredential(exclude_environment_credential=True, **options).get_token(SCOPE)
    asked = [request.partition("&client_id=")[2] for request in identity_host.requests]
    assert asked == ["from-variable", "given", ""]


def test_authorities_have_their_names():
    assert entrada.AzureAuthorityHosts.AZURE_GOVERNMENT == "login.microsoftonline.us"
    assert entrada.KnownAuthorities.AZURE_CHINA == "login.chinacloudapi.cn"
    with pytest.warns(DeprecationWarning, match="closed"):
        assert entrada.AzureAuthorityHosts.AZURE_GERMANY == "login.microsoftonline.de"


def test_names_that_are_not_there_yet_say_so():
    with pytest.raises(ImportError, match=r"does not have SharedTokenCacheCredential yet"):
        from entrada import SharedTokenCacheCredential  # noqa: F401
    with pytest.raises(ImportError, match=r"does not have VisualStudioCodeCredential yet"):
        from entrada.aio import VisualStudioCodeCredential  # noqa: F401
    with pytest.raises(AttributeError, match=r"does not have SharedTokenCacheCredential yet"):
        _ = entrada.SharedTokenCacheCredential
    assert not hasattr(entrada, "SharedTokenCacheCredential")
    assert not hasattr(entrada, "Nonsense")


def test_a_signed_session_carries_a_token(identity_host):
    session = entrada.ManagedIdentityCredential().signed_session()
    assert session.headers["Authorization"] == "Bearer token-1"
    assert "resource=https%3A%2F%2Fmanagement.azure.com" in identity_host.requests[0]
    session.close()
