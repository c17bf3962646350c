"""A service principal that environment variables describe."""

from . import _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


class EnvironmentCredential(SyncCredential):
    """Authenticates the service principal that environment variables describe.

    It reads ``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID``, ``AZURE_CLIENT_SECRET`` and ``AZURE_AUTHORITY_HOST`` when it is
    constructed. Where they describe no service principal, ``get_token`` raises :class:`CredentialUnavailableError`.

    :keyword str authority: the host that issues tokens; beats ``AZURE_AUTHORITY_HOST``.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside the app's own; "*" for any.
    """

    __module__ = "entrada"

    def __init__(self, **kwargs: object) -> None:
        configure(self, kwargs)


def configure(credential: "Credential", kwargs: dict[str, object]) -> None:
    """Configure a credential from the environment."""
    _entra.configure(credential, "environment", kwargs, {})
