"""The asynchronous twins of the credentials that are constructed in the same way."""

from __future__ import annotations

from .. import _azure_cli, _certificate, _client_secret, _environment, _managed_identity
from ._credential import AsyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class ClientSecretCredential(AsyncCredential):
    """Authenticates an app registration with a client secret; see :class:`entrada.ClientSecretCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, **kwargs: object) -> None:
        try:
            _client_secret.configure(self, tenant_id, client_id, client_secret, kwargs)
        finally:
            del client_secret


class CertificateCredential(AsyncCredential):
    """Authenticates an app registration with a certificate; see :class:`entrada.CertificateCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, tenant_id: str, client_id: str, certificate_path: str | None = None, **kwargs: object) -> None:
        try:
            _certificate.configure(self, tenant_id, client_id, certificate_path, kwargs)
        finally:
            kwargs.clear()


class ManagedIdentityCredential(AsyncCredential):
    """Authenticates the managed identity of the host; see :class:`entrada.ManagedIdentityCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self, *, client_id: str | None = None, identity_config: Mapping[str, str] | None = None, **kwargs: object
    ) -> None:
        _managed_identity.configure(self, client_id, identity_config, kwargs)


class EnvironmentCredential(AsyncCredential):
    """Authenticates what environment variables describe; see :class:`entrada.EnvironmentCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, **kwargs: object) -> None:
        _environment.configure(self, kwargs)


class AzureCliCredential(AsyncCredential):
    """Authenticates the account signed in to the Azure CLI; see :class:`entrada.AzureCliCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self,
        *,
        tenant_id: str = "",
        subscription: str | None = None,
        additionally_allowed_tenants: list[str] | None = None,
        process_timeout: int = 10,
    ) -> None:
        _azure_cli.configure(self, tenant_id, subscription, additionally_allowed_tenants, process_timeout)
