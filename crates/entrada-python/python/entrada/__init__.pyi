"""Sign in to Azure: the credentials of azure-identity, from one fast core."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Any, Protocol

import requests
from azure.core.credentials import AccessToken as AccessToken
from azure.core.credentials import AccessTokenInfo as AccessTokenInfo
from azure.core.credentials import TokenProvider, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError
from typing_extensions import Self

from ._native import Credential

__all__ = [
    "AuthenticationRecord",
    "AuthenticationRequiredError",
    "AuthorizationCodeCredential",
    "AzureAuthorityHosts",
    "AzureCliCredential",
    "AzurePipelinesCredential",
    "CertificateCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "CredentialUnavailableError",
    "DefaultAzureCredential",
    "DeviceCodeCredential",
    "EnvironmentCredential",
    "InteractiveBrowserCredential",
    "KnownAuthorities",
    "ManagedIdentityCredential",
    "OnBehalfOfCredential",
    "TokenCachePersistenceOptions",
    "UsernamePasswordCredential",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
    # azure-identity has none of these.
    "CommandAssertion",
    "CommandCredential",
    "EnvironmentAssertion",
    "FileAssertion",
    "GitHubActionsCredential",
    "InteractionRequiredError",
    "ManagedIdentityAssertion",
    "StaticTokenCredential",
    "TokenFileCredential",
    "UrlAssertion",
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

class InteractionRequiredError(ClientAuthenticationError):
    """Microsoft Entra wants a person to act first: to consent, or to prove more than they have."""

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

class AuthenticationRecord:
    """Non-secret account information of a person who has signed in."""

    def __init__(self, tenant_id: str, client_id: str, authority: str, home_account_id: str, username: str) -> None: ...
    @property
    def authority(self) -> str:
        """The host that authenticated the account."""

    @property
    def client_id(self) -> str:
        """The client id of the app that the account signed in to."""

    @property
    def home_account_id(self) -> str:
        """What tells the account from all others."""

    @property
    def tenant_id(self) -> str:
        """The tenant that the account signed in to."""

    @property
    def username(self) -> str:
        """The account's name."""

    @classmethod
    def deserialize(cls, data: str) -> AuthenticationRecord:
        """Read what :meth:`serialize` wrote."""

    def serialize(self) -> str:
        """Write the record as JSON. It contains no secret."""

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

class UrlAssertion(AssertionSource):
    """An assertion that a server gives."""

    def __init__(
        self, url: str, *, headers: Mapping[str, str] | None = None, json_pointer: str | None = None
    ) -> None: ...

class CommandAssertion(AssertionSource):
    """An assertion that a program prints."""

    def __init__(
        self,
        command: str | PathLike[str],
        *arguments: str,
        json_pointer: str | None = None,
        timeout: float | None = None,
    ) -> None: ...

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

class _InteractiveCredential(_SyncCredential):
    def authenticate(
        self,
        *,
        scopes: Iterable[str] | None = None,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AuthenticationRecord:
        """Have a person sign in, whatever there is already.

        :keyword scopes: what to sign in for; by default Azure Resource Manager of the authority's cloud.
        :keyword str claims: claims that the sign-in must bring, as JSON.
        :keyword str tenant_id: the tenant to sign in to instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :return: who has signed in.
        """

class AzurePipelinesCredential(_SyncCredential):
    """Authenticates a job of Azure Pipelines through a service connection."""

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        service_connection_id: str | None = None,
        system_access_token: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class GitHubActionsCredential(_SyncCredential):
    """Authenticates a job of GitHub Actions."""

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        audience: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class DeviceCodeCredential(_InteractiveCredential):
    """Has a person sign in with a code on any device that has a browser."""

    def __init__(
        self,
        client_id: str = ...,
        *,
        timeout: float | None = None,
        prompt_callback: Callable[[str, str, datetime], Awaitable[None] | None] | None = None,
        tenant_id: str | None = None,
        authentication_record: AuthenticationRecord | None = None,
        disable_automatic_authentication: bool = False,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class UsernamePasswordCredential(_InteractiveCredential):
    """Signs a person in with a password. Deprecated: it cannot answer multifactor authentication."""

    def __init__(
        self,
        client_id: str,
        username: str,
        password: str,
        *,
        tenant_id: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class AuthorizationCodeCredential(_SyncCredential):
    """Authenticates a person by the authorization code that Entra sent to a web app."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        authorization_code: str,
        redirect_uri: str,
        *,
        client_secret: str | None = None,
        client_certificate: bytes | None = None,
        client_assertion_func: Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        code_verifier: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class Signer(Protocol):
    """An object that signs for an app, with a key that it need not show."""

    @property
    def algorithm(self) -> str:
        """What it signs with: PS256, RS256, ES256 or ES384 (RFC 7518, section 3)."""

    @property
    def certificate(self) -> object:
        """The key's certificate as DER or PEM, or a list with those that vouch for it, or a method that returns it."""

    def sign(self, data: bytes, /) -> bytes | Awaitable[bytes]:
        """Sign a text, which is not hashed yet."""

class CertificateCredential(_SyncCredential):
    """Authenticates an app registration (service principal) with a certificate."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate_path: str | PathLike[str] | None = None,
        *,
        certificate_data: bytes | None = None,
        signer: Signer | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        algorithm: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class InteractiveBrowserCredential(_InteractiveCredential):
    """Opens the browser of this machine for a person to sign in."""

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        login_hint: str | None = None,
        redirect_uri: str | None = None,
        prompt: str | None = None,
        timeout: float | None = None,
        authentication_record: AuthenticationRecord | None = None,
        disable_automatic_authentication: bool = False,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...

class OnBehalfOfCredential(_SyncCredential):
    """Authenticates an app as the user who called it: the on-behalf-of flow."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        *,
        client_certificate: bytes | None = None,
        client_secret: str | None = None,
        client_assertion_func: Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource | None = None,
        signer: Signer | None = None,
        user_assertion: str | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        algorithm: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        disable_instance_discovery: bool | None = None,
        cache_persistence_options: TokenCachePersistenceOptions | None = None,
        **kwargs: Any,
    ) -> None: ...
    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        user_assertion: str | None = None,
        **kwargs: Any,
    ) -> AccessToken:
        """Get an access token of a user, from the process's cache where it has a good one."""

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | Mapping[str, Any] | None = None
    ) -> AccessTokenInfo:
        """Get an access token of a user with all that is known about it."""

    def for_user(self, user_assertion: str) -> Self:
        """Return the credential of one user. It is cheap, and shares all it has with this one."""

class StaticTokenCredential(_SyncCredential):
    """Gives the one token that it was given, until it expires."""

    def __init__(
        self,
        token: str,
        *,
        expires_on: int | None = None,
    ) -> None: ...

class TokenFileCredential(_SyncCredential):
    """Gives the token that somebody keeps in a file."""

    def __init__(
        self,
        path: str | PathLike[str],
    ) -> None: ...

class CommandCredential(_SyncCredential):
    """Gives the token that a program prints."""

    def __init__(
        self,
        command: str | PathLike[str],
        *arguments: str,
        tenant_id: str | None = None,
        timeout: float | None = None,
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
