"""A job of Azure Pipelines that signs in through a service connection."""

from . import _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential

_GIVEN = ("tenant_id", "client_id", "service_connection_id", "system_access_token")


class AzurePipelinesCredential(SyncCredential):
    """Authenticates a job of Azure Pipelines through a service connection with workload identity federation.

    Either all four arguments are given, or none: then they come from the variables of the pipeline, which a step of
    type AzureCLI@2 or AzurePowerShell@5 has, if the job's token is passed to it::

        env:
          SYSTEM_ACCESSTOKEN: $(System.AccessToken)

    ============================================  =======================
    variable                                      argument
    ============================================  =======================
    AZURESUBSCRIPTION_TENANT_ID                   tenant_id
    AZURESUBSCRIPTION_CLIENT_ID                   client_id
    AZURESUBSCRIPTION_SERVICE_CONNECTION_ID       service_connection_id
    SYSTEM_ACCESSTOKEN                            system_access_token
    ============================================  =======================

    ``SYSTEM_OIDCREQUESTURI``, which each job has, says where the assertion is asked for: a new one for each exchange.

    :keyword str tenant_id: the tenant's id, or its domain.
    :keyword str client_id: the client id of the service connection's app or managed identity.
    :keyword str service_connection_id: the id of the service connection: ``resourceId`` in the address of its page.
    :keyword str system_access_token: the job's token, ``$(System.AccessToken)``.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where some of the four are given and others are not, or one cannot be right.
    """

    __module__ = "entrada"

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        service_connection_id: str | None = None,
        system_access_token: str | None = None,
        **kwargs: object,
    ) -> None:
        try:
            configure(self, tenant_id, client_id, service_connection_id, system_access_token, kwargs)
        finally:
            del system_access_token


def configure(
    credential: "Credential",
    tenant_id: str | None,
    client_id: str | None,
    service_connection_id: str | None,
    system_access_token: str | None,
    kwargs: dict[str, object],
) -> None:
    """Configure a credential of a pipeline's job."""
    given: dict[str, object] = dict(
        zip(_GIVEN, (tenant_id, client_id, service_connection_id, system_access_token), strict=True)
    )
    del system_access_token
    missing = [repr(name) for name, value in given.items() if not value]
    try:
        # None at all is no mistake; an empty one is.
        if missing and any(value is not None for value in given.values()):
            raise ValueError(
                f"AzurePipelinesCredential: {', '.join(missing)} is missing or empty: pass 'tenant_id', 'client_id', "
                "'service_connection_id', and 'system_access_token' as keyword arguments, or none of them in a step "
                "that has the variables AZURESUBSCRIPTION_TENANT_ID, AZURESUBSCRIPTION_CLIENT_ID, "
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID and SYSTEM_ACCESSTOKEN"
            )
        _entra.configure(credential, "Azure Pipelines", kwargs, given)
    finally:
        del given
