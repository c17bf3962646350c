"""Who environment variables describe."""

from . import _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


class EnvironmentCredential(SyncCredential):
    """Authenticates what environment variables describe, when it is constructed: an app, or a person with a password.

    ``AZURE_CLIENT_ID`` and, for an app, ``AZURE_TENANT_ID`` are needed; and, of these, the first that is there:

    1. ``AZURE_CLIENT_SECRET``: the app's client secret;
    2. ``AZURE_CLIENT_CERTIFICATE_PATH``: a file with the app's certificate and private key, encrypted with
       ``AZURE_CLIENT_CERTIFICATE_PASSWORD``; ``AZURE_CLIENT_SEND_CERTIFICATE_CHAIN`` ("1" or "true") has it sent along;
    3. ``AZURE_USERNAME`` and ``AZURE_PASSWORD``: a person. Deprecated, see :class:`UsernamePasswordCredential`.

    ``AZURE_AUTHORITY_HOST`` names the host that issues tokens. Where the variables describe nobody, ``get_token``
    raises
    :class:`CredentialUnavailableError`.

    :keyword str authority: the host that issues tokens; beats ``AZURE_AUTHORITY_HOST``.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside the own one; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    """

    __module__ = "entrada"

    def __init__(self, **kwargs: object) -> None:
        configure(self, kwargs)


def configure(credential: "Credential", kwargs: dict[str, object]) -> None:
    """Configure a credential from the environment."""
    _entra.configure(credential, "environment", kwargs, {})
