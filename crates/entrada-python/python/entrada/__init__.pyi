"""Sign in to Azure: the credentials of azure-identity, from one fast core."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from os import PathLike
from types import TracebackType
from typing import Any

import requests
from azure.core.credentials import AccessToken as AccessToken
from azure.core.credentials import AccessTokenInfo as AccessTokenInfo
from azure.core.credentials import TokenProvider
from azure.core.exceptions import ClientAuthenticationError
from typing_extensions import Self

from ._native import Credential

__all__ = [
    "AuthenticationRequiredError",
    "AzureAuthorityHosts",
    "AzureCliCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "CredentialUnavailableError",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "KnownAuthorities",
    "ManagedIdentityCredential",
    "TokenCachePersistenceOptions",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
    "EnvironmentAssertion",
    "FileAssertion",
    "ManagedIdentityAssertion",
]
__version__: str

def install() -> None:
    """Make ``import azure.identity`` and ``import azure.identity.aio`` give this package, for the whole process."""

def get_bearer_token_provider(credential: TokenProvider, *scopes: str) -> Callable[[], str]:
    """Return a function that returns a token for scopes, asking the credential each time."""

class CredentialUnavailableError(ClientAuthenticationError):
    """A way of signing in that is not set up here. Nothing was refused; a chain goes on to the next credential."""

    condition: str | None

class AuthenticationRequiredError(CredentialUnavailableError):
    """A person must act before there can be a token: sign in, or answer a demand for claims."""

    def __init__(
        self, scopes: Iterable[str], message: str | None = None, claims: str | None = None, **kwargs: Any
    ) -> None: ...
    @property
    def scopes(self) -> Iterable[str]:
        """The scopes that were asked for."""

    @property
    def claims(self) -> str | None:
        """The claims that the next sign-in must bring, as JSON, if any were demanded."""

class AzureAuthorityHosts:
    """The hosts of the clouds, to be passed to a credential as its ``authority``."""

    AZURE_CHINA: str
    AZURE_GOVERNMENT: str
    AZURE_PUBLIC_CLOUD: str

class KnownAuthorities(AzureAuthorityHosts):
    """Another name of :class:`AzureAuthorityHosts`."""

class TokenCachePersistenceOptions:
    """Options for keeping tokens across processes; this version keeps them in memory only, and warns of that."""

    allow_unencrypted_storage: bool
    name: str
    def __init__(
        self, *, allow_unencrypted_storage: bool = False, name: str = "msal.cache", **_kwargs: Any
    ) -> None: ...

class _SyncCredential(Credential):
    def close(self) -> None:
        """Do nothing: a credential holds no connection that could be closed, and remains usable."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...
    def signed_session(self, session: requests.Session | None = None) -> requests.Session:
        """Return a session that signs requests to Azure Resource Manager, for clients built on msrest."""

class ClientSecretCredential(_SyncCredential):
    """Authenticates an app registration (service principal) with a client secret."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        *,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class AssertionSource:
    """The base of the ready-made sources of assertions."""

class ManagedIdentityAssertion(AssertionSource):
    """A user-assigned managed identity that vouches for an app."""

    def __init__(
        self,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
        audience: str | None = None,
    ) -> None: ...

class FileAssertion(AssertionSource):
    """An assertion that somebody keeps in a file."""

    def __init__(self, path: str | PathLike[str]) -> None: ...

class EnvironmentAssertion(AssertionSource):
    """An assertion in an environment variable."""

    def __init__(self, name: str) -> None: ...

class ClientAssertionCredential(_SyncCredential):
    """Authenticates an app registration (service principal) with an assertion in place of a secret."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        func: Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource,
        *,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class WorkloadIdentityCredential(_SyncCredential):
    """Authenticates the app that trusts this pod's Kubernetes service account."""

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        token_file_path: str | None = None,
        enable_azure_proxy: bool | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class ManagedIdentityCredential(_SyncCredential):
    """Authenticates the managed identity of the Azure resource that runs the program."""

    def __init__(
        self,
        *,
        client_id: str | None = None,
        identity_config: Mapping[str, str] | None = None,
        timeout: float | None = None,
        expected_tenant_id: str | None = None,
        expected_client_id: str | None = None,
        expected_object_id: str | None = None,
        share_between_processes: bool = False,
        **kwargs: Any,
    ) -> None: ...

class EnvironmentCredential(_SyncCredential):
    """Authenticates the service principal that environment variables describe."""

    def __init__(
        self,
        *,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None: ...

class AzureCliCredential(_SyncCredential):
    """Authenticates the account that is signed in to the Azure CLI, by running ``az account get-access-token``."""

    def __init__(
        self,
        *,
        tenant_id: str = "",
        subscription: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        process_timeout: int = 10,
    ) -> None: ...

class ChainedTokenCredential(_SyncCredential):
    """Asks one credential after the other until one gives a token, and that one alone from then on."""

    credentials: tuple[TokenProvider, ...]
    def __init__(self, *credentials: TokenProvider) -> None: ...

class DefaultAzureCredential(ChainedTokenCredential):
    """Signs in with whatever is there: in Azure a managed identity, on a laptop the developer's own sign-in."""

    def __init__(
        self,
        *,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        exclude_environment_credential: bool | None = None,
        exclude_workload_identity_credential: bool | None = None,
        exclude_managed_identity_credential: bool | None = None,
        exclude_shared_token_cache_credential: bool | None = None,
        exclude_visual_studio_code_credential: bool | None = None,
        exclude_cli_credential: bool | None = None,
        exclude_developer_cli_credential: bool | None = None,
        exclude_powershell_credential: bool | None = None,
        exclude_interactive_browser_credential: bool | None = None,
        exclude_broker_credential: bool | None = None,
        managed_identity_client_id: str | None = None,
        process_timeout: int = 10,
        require_envvar: bool = False,
        share_between_processes: bool = False,
        **kwargs: Any,
    ) -> None: ...
