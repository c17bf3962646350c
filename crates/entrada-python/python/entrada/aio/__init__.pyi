"""The asynchronous credentials, for any asyncio event loop."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from os import PathLike
from types import TracebackType
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncTokenProvider
from typing_extensions import Self

from .. import AssertionSource, AuthenticationRecord, Signer, TokenCachePersistenceOptions

__all__ = [
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
    "get_bearer_token_provider",
    # azure-identity has none of these.
    "CommandCredential",
    "DeviceCodeCredential",
    "GitHubActionsCredential",
    "InteractiveBrowserCredential",
    "StaticTokenCredential",
    "TokenFileCredential",
    "UsernamePasswordCredential",
]

def get_bearer_token_provider(credential: AsyncTokenProvider, *scopes: str) -> Callable[[], Awaitable[str]]:
    """Return an asynchronous function that returns a token for scopes, asking the credential each time."""

class _AsyncCredential:
    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Get an access token for scopes, from the process's cache where it has a good one.

        :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
        :keyword str claims: claims that a resource demanded in a challenge, as JSON; goes past the cache.
        :keyword str tenant_id: the tenant to ask instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :return: the token and, in seconds since 1970-01-01T00:00:00Z, when it expires.
        """

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Get an access token with all that is known about it; otherwise the same as :meth:`get_token`."""

    async def close(self) -> None:
        """Do nothing: a credential holds no connection that could be closed, and remains usable."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None: ...

class ClientSecretCredential(_AsyncCredential):
    """Authenticates an app registration with a client secret; see :class:`entrada.ClientSecretCredential`."""

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

class ClientAssertionCredential(_AsyncCredential):
    """Authenticates an app with an assertion in place of a secret; see :class:`entrada.ClientAssertionCredential`."""

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

class WorkloadIdentityCredential(_AsyncCredential):
    """Authenticates the app that trusts this pod; see :class:`entrada.WorkloadIdentityCredential`."""

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

class _InteractiveCredential(_AsyncCredential):
    async def authenticate(
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

class AzurePipelinesCredential(_AsyncCredential):
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

class GitHubActionsCredential(_AsyncCredential):
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

class AuthorizationCodeCredential(_AsyncCredential):
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

class CertificateCredential(_AsyncCredential):
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

class OnBehalfOfCredential(_AsyncCredential):
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
    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        user_assertion: str | None = None,
        **kwargs: Any,
    ) -> AccessToken:
        """Get an access token of a user, from the process's cache where it has a good one."""

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | Mapping[str, Any] | None = None
    ) -> AccessTokenInfo:
        """Get an access token of a user with all that is known about it."""

    def for_user(self, user_assertion: str) -> Self:
        """Return the credential of one user. It is cheap, and shares all it has with this one."""

class StaticTokenCredential(_AsyncCredential):
    """Gives the one token that it was given, until it expires."""

    def __init__(
        self,
        token: str,
        *,
        expires_on: int | None = None,
    ) -> None: ...

class TokenFileCredential(_AsyncCredential):
    """Gives the token that somebody keeps in a file."""

    def __init__(
        self,
        path: str | PathLike[str],
    ) -> None: ...

class CommandCredential(_AsyncCredential):
    """Gives the token that a program prints."""

    def __init__(
        self,
        command: str | PathLike[str],
        *arguments: str,
        tenant_id: str | None = None,
        timeout: float | None = None,
    ) -> None: ...

class ManagedIdentityCredential(_AsyncCredential):
    """Authenticates the managed identity of the host; see :class:`entrada.ManagedIdentityCredential`."""

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

class EnvironmentCredential(_AsyncCredential):
    """Authenticates what environment variables describe; see :class:`entrada.EnvironmentCredential`."""

    def __init__(
        self,
        *,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None: ...

class AzureCliCredential(_AsyncCredential):
    """Authenticates the account signed in to the Azure CLI; see :class:`entrada.AzureCliCredential`."""

    def __init__(
        self,
        *,
        tenant_id: str = "",
        subscription: str | None = None,
        additionally_allowed_tenants: Iterable[str] | None = None,
        process_timeout: int = 10,
    ) -> None: ...

class ChainedTokenCredential(_AsyncCredential):
    """Asks one credential after the other; see :class:`entrada.ChainedTokenCredential`."""

    credentials: tuple[AsyncTokenProvider, ...]
    def __init__(self, *credentials: AsyncTokenProvider) -> None: ...

class DefaultAzureCredential(ChainedTokenCredential):
    """Signs in with whatever is there; see :class:`entrada.DefaultAzureCredential`."""

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
        managed_identity_client_id: str | None = None,
        process_timeout: int = 10,
        require_envvar: bool = False,
        share_between_processes: bool = False,
        **kwargs: Any,
    ) -> None: ...
