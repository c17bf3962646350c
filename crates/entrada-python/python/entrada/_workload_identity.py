"""An app that Kubernetes vouches for."""

import os

from . import _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


_VARIABLES = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "token_file_path": "AZURE_FEDERATED_TOKEN_FILE",
}


class WorkloadIdentityCredential(SyncCredential):
    """Authenticates the app that trusts this pod's Kubernetes service account, with Microsoft Entra Workload ID.

    What is not given comes from the variables that the webhook sets in a pod. The file is read anew for each exchange,
    so a rotation is never missed.

    :keyword str tenant_id: the tenant's id, or its domain. By default ``AZURE_TENANT_ID``.
    :keyword str client_id: the client id of the app or managed identity. By default ``AZURE_CLIENT_ID``.
    :keyword str token_file_path: the file with the service account's token. By default ``AZURE_FEDERATED_TOKEN_FILE``.
    :keyword bool enable_azure_proxy: whether the token proxy of an AKS identity binding, which
        ``AZURE_KUBERNETES_TOKEN_PROXY`` names, is asked in the place of Microsoft Entra. By default it is where the
        variables describe one: Entra refuses the token that a pod has under a binding.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument is missing and its variable is too, or one cannot be right.
    """

    __module__ = "entrada"

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        token_file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        configure(self, tenant_id, client_id, token_file_path, kwargs)


def configure(
    credential: "Credential",
    tenant_id: str | None,
    client_id: str | None,
    token_file_path: str | None,
    kwargs: dict[str, object],
) -> None:
    """Configure a credential for a pod's service account."""
    given = {"tenant_id": tenant_id or None, "client_id": client_id or None, "token_file_path": token_file_path or None}
    # The core reads the variables itself, and says of what it finds wrong where it comes from.
    missing = [repr(name) for name, value in given.items() if not (value or os.environ.get(_VARIABLES[name]))]
    if missing:
        raise ValueError(
            "WorkloadIdentityCredential: workload identity is not set up. Missing required arguments: "
            f"{', '.join(missing)}. Pass them, or run in a pod with the label azure.workload.identity/use and an "
            "annotated service account, where AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE say them"
        )
    _entra.configure(credential, "workload identity", kwargs, given, ("enable_azure_proxy",))
