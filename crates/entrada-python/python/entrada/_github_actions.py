"""A job of GitHub Actions that signs in with its own identity."""

from . import _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


class GitHubActionsCredential(SyncCredential):
    """Authenticates a job of GitHub Actions: an app's federated credential says which repository and branch it trusts.

    No secret, no ``az login``, and no end after ten minutes: GitHub is asked for a new assertion for each exchange. The
    job needs the permission to ask for one::

        permissions:
          id-token: write

    Then GitHub sets ``ACTIONS_ID_TOKEN_REQUEST_URL`` and ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``; where they are missing,
    ``get_token`` raises :class:`CredentialUnavailableError`. Jobs for pull requests from forks never have them.

    :keyword str tenant_id: the tenant's id, or its domain. By default ``AZURE_TENANT_ID``.
    :keyword str client_id: the app's client id. By default ``AZURE_CLIENT_ID``.
    :keyword str audience: the audience of the assertion, by default ``api://AzureADTokenExchange`` or what takes its
        place in the cloud of the authority.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(self, *, tenant_id: str | None = None, client_id: str | None = None, **kwargs: object) -> None:
        configure(self, tenant_id, client_id, kwargs)


def configure(
    credential: "Credential", tenant_id: str | None, client_id: str | None, kwargs: dict[str, object]
) -> None:
    """Configure a credential of a job of GitHub Actions."""
    given: dict[str, object] = {"tenant_id": tenant_id, "client_id": client_id}
    _entra.configure(credential, "GitHub Actions", kwargs, given, ("audience",))
