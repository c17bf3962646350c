"""The account that a developer is signed in with in the Azure CLI."""

from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


class AzureCliCredential(SyncCredential):
    """Authenticates the account that is signed in to the Azure CLI, by running ``az account get-access-token``.

    Its tokens are kept in the process until they expire or another account signs in. Each request takes one scope.

    :keyword str tenant_id: the tenant to get tokens of; by default the one of the chosen subscription.
    :keyword str subscription: the name or id of the subscription whose account to use; by default the chosen one.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword int process_timeout: how many seconds ``az`` may take. 10 by default.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(
        self,
        *,
        tenant_id: str = "",
        subscription: str | None = None,
        additionally_allowed_tenants: list[str] | None = None,
        process_timeout: int = 10,
    ) -> None:
        configure(self, tenant_id, subscription, additionally_allowed_tenants, process_timeout)


def configure(
    credential: "Credential",
    tenant_id: str,
    subscription: str | None,
    additionally_allowed_tenants: list[str] | None,
    process_timeout: float,
) -> None:
    """Configure a credential that asks the Azure CLI."""
    credential._configure(
        "Azure CLI",
        {
            "tenant_id": tenant_id,
            "subscription": subscription,
            "additionally_allowed_tenants": additionally_allowed_tenants,
            "process_timeout": process_timeout,
        },
    )
