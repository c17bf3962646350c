"""A person who signs in with the browser on this machine."""

from . import _entra
from ._interactive import InteractiveCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential

_OWN = (
    "tenant_id",
    "client_id",
    "redirect_uri",
    "login_hint",
    "prompt",
    "timeout",
    "authentication_record",
    "disable_automatic_authentication",
)


class InteractiveBrowserCredential(InteractiveCredential):
    """Opens the browser of this machine for a person to sign in.

    The person is asked when a token is needed that cannot be renewed without them, and once for all who wait for it.
    The browser is the one that ``BROWSER`` names, or the desktop's own. It comes back to this machine, where one
    request with the right state is taken, and nothing else. Where there is no browser, or nobody at this machine, an
    exception says so and what to use: :class:`DeviceCodeCredential`.

    :keyword str tenant_id: the tenant to sign in to; by default that of any work or school account.
    :keyword str client_id: the client id of the app to sign in to. By default the Azure CLI's, which is not for
        production. An app of your own needs the platform "Mobile and desktop applications" with the redirect URI
        http://localhost.
    :keyword str login_hint: the name to fill in on the sign-in page.
    :keyword str redirect_uri: where the browser comes back to: ``http://localhost:PORT``, with a path if one is
        registered. By default http://localhost and the first free port of 8400 to 8999.
    :keyword str prompt: what the page shows: "select_account", which is the default, "login", "consent" or "none".
    :keyword float timeout: how many seconds the person has. 300 by default.
    :keyword AuthenticationRecord authentication_record: who is to sign in, as ``authenticate`` returned it.
    :keyword bool disable_automatic_authentication: do not ask by itself: ``get_token`` then raises
        :class:`AuthenticationRequiredError` where a person is needed. False by default.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(self, **kwargs: object) -> None:
        configure(self, kwargs)


def configure(credential: "Credential", kwargs: dict[str, object]) -> None:
    """Configure a credential that opens a browser."""
    _entra.configure(credential, "browser", kwargs, {}, _OWN)
