"""A person who signs in with a password."""

from . import _entra
from ._interactive import InteractiveCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential

_OWN = ("tenant_id",)


class UsernamePasswordCredential(InteractiveCredential):
    """Signs a person in with a password. Deprecated: it cannot answer multifactor authentication, which Azure demands.

    Use :class:`InteractiveBrowserCredential` or :class:`DeviceCodeCredential` for people, and an app's own identity for
    programs. See https://aka.ms/azsdk/identity/mfa.

    Accounts that are kept elsewhere (federated, personal) cannot sign in this way. The app must allow public client
    flows.

    :param str client_id: the client id of the app to sign in to.
    :param str username: the account's name, usually an address.
    :param str password: its password.
    :keyword str tenant_id: the tenant to sign in to; by default that of any work or school account.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(self, client_id: str, username: str, password: str, **kwargs: object) -> None:
        try:
            configure(self, client_id, username, password, kwargs)
        finally:
            del password


def configure(
    credential: "Credential", client_id: str, username: str, password: str, kwargs: dict[str, object]
) -> None:
    """Configure a credential with a person's password."""
    from ._options import warn

    warn(
        type(credential).__name__,
        [
            "this credential is deprecated, as it doesn't support multifactor authentication (MFA). "
            "For more details, see https://aka.ms/azsdk/identity/mfa."
        ],
        DeprecationWarning,
    )
    # azure-identity takes it, and does nothing with it.
    kwargs.pop("authentication_record", None)
    given: dict[str, object] = {"client_id": client_id, "username": username, "password": password}
    del password
    try:
        _entra.configure(credential, "password", kwargs, given, _OWN)
    finally:
        del given
