"""An app that signs in with a secret."""

from . import _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


class ClientSecretCredential(SyncCredential):
    """Authenticates an app registration (service principal) with a client secret.

    :param str tenant_id: the tenant's id, or its domain.
    :param str client_id: the app's client id.
    :param str client_secret: one of the app's client secrets.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
        False by default; authorities of Microsoft's clouds are known without asking.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(self, tenant_id: str, client_id: str, client_secret: str, **kwargs: object) -> None:
        try:
            configure(self, tenant_id, client_id, client_secret, kwargs)
        finally:
            # A traceback keeps the variables of its frames, and some tools print them.
            del client_secret


def configure(
    credential: "Credential", tenant_id: str, client_id: str, client_secret: str, kwargs: dict[str, object]
) -> None:
    """Configure a credential with a client secret."""
    given: dict[str, object] = {"tenant_id": tenant_id, "client_id": client_id, "client_secret": client_secret}
    del client_secret
    try:
        _entra.configure(credential, "client secret", kwargs, given)
    finally:
        del given
