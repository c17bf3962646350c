"""An app that signs in with an assertion that somebody else makes."""

from . import _assertions, _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._assertions import AssertionSource
    from ._native import Credential


class ClientAssertionCredential(SyncCredential):
    """Authenticates an app registration (service principal) with an assertion in place of a secret.

    The assertion is a JWT that somebody signed whom the app trusts: the issuer of one of its federated credentials, or
    the holder of its certificate's key.

    ``func`` is called for each exchange with Microsoft Entra, not for each ``get_token``: tokens are cached. It may be
    an ``async def`` function. It runs on a thread of its own, and may itself ask another credential. What it raises
    comes back to whoever waits for the token, as it is.

    :param str tenant_id: the tenant's id, or its domain.
    :param str client_id: the app's client id.
    :param func: a function without arguments that returns the assertion, or one of the ready-made sources:
        :class:`ManagedIdentityAssertion`, :class:`FileAssertion`, :class:`EnvironmentAssertion`,
        :class:`UrlAssertion`, :class:`CommandAssertion`.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
        False by default; authorities of Microsoft's clouds are known without asking.
    :raises ValueError: where an argument cannot be right.
    :raises TypeError: where ``func`` can be neither called nor asked.
    """

    __module__ = "entrada"

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        func: "Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource",
        **kwargs: object,
    ) -> None:
        configure(self, tenant_id, client_id, func, kwargs)


def configure(
    credential: "Credential", tenant_id: str, client_id: str, func: object, kwargs: dict[str, object]
) -> None:
    """Configure a credential with a client assertion."""
    given = {"tenant_id": tenant_id, "client_id": client_id, **_assertions.described(func, "func")}
    _entra.configure(credential, "client assertion", kwargs, given)
