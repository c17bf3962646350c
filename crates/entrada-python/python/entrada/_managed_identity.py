"""The identity of the Azure resource that runs the program."""

from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._native import Credential


class ManagedIdentityCredential(SyncCredential):
    """Authenticates the managed identity of the Azure resource that runs the program.

    The host is told by environment variables when the credential is constructed, without a request, in this order:

    ==============================================================  ====================================
    variables                                                       host
    ==============================================================  ====================================
    IDENTITY_ENDPOINT, IDENTITY_HEADER, IDENTITY_SERVER_THUMBPRINT  Service Fabric
    IDENTITY_ENDPOINT, IDENTITY_HEADER                              App Service, Functions, Container Apps
    IDENTITY_ENDPOINT, IMDS_ENDPOINT                                Azure Arc
    MSI_ENDPOINT, MSI_SECRET, WEBSITE_SITE_NAME                     App Service before 2019
    MSI_ENDPOINT, MSI_SECRET                                        Azure Machine Learning
    MSI_ENDPOINT                                                    Cloud Shell
    AZURE_AUTHORITY_HOST, AZURE_TENANT_ID,                          Kubernetes with workload identity
    AZURE_FEDERATED_TOKEN_FILE
    none, and the agent of Azure Arc is installed                   Azure Arc
    none                                                            virtual machines, scale sets and container
                                                                    instances (IMDS)
    ==============================================================  ====================================

    Each request takes exactly one scope. What may pass is tried again; an endpoint that starts with its container, or
    is being updated, is waited for up to 70 seconds. While the host is throttled or down, a token that is still valid
    is returned.

    The exceptions of this credential have an attribute ``condition`` that tells what the endpoint was found to be in:
    "not_this_host", "not_listening", "identity_not_assigned", "several_identities", "identity_not_supported",
    "other_identity", "unknown_resource", "refused", "throttled", "gone" or "broken".

    :keyword str client_id: the client id of a user-assigned identity; without one, the system-assigned identity, or the
        one that the host names in ``DEFAULT_IDENTITY_CLIENT_ID`` (Azure Machine Learning) or ``AZURE_CLIENT_ID``
        (Kubernetes).
    :keyword identity_config: a user-assigned identity by another of its names: a mapping with one of "client_id",
        "object_id" and "resource_id".
    :keyword float timeout: how many seconds one call may take, with all its attempts. 75 by default.
    :keyword str expected_tenant_id: refuse tokens of any other tenant.
    :keyword str expected_client_id: refuse tokens of any other client id.
    :keyword str expected_object_id: refuse tokens of any other object id.
    :keyword bool share_between_processes: let the processes of this user on this machine share tokens, so that of many
        workers that start together one asks the host. False by default. Tokens then lie in files in memory
        (``/dev/shm/entrada-UID``, mode 0600), sealed for this start of the machine, this user and, where the host gave
        the program a secret, for those who know it. Linux only; elsewhere each process fetches its own.
    :raises ValueError: where an argument cannot be right, or several name an identity.
    """

    __module__ = "entrada"

    def __init__(
        self, *, client_id: str | None = None, identity_config: "Mapping[str, str] | None" = None, **kwargs: object
    ) -> None:
        configure(self, client_id, identity_config, kwargs)


_OWN = ("timeout", "expected_tenant_id", "expected_client_id", "expected_object_id", "share_between_processes")


def configure(
    credential: "Credential",
    client_id: str | None,
    identity_config: "Mapping[str, str] | None",
    kwargs: dict[str, object],
) -> None:
    """Configure a credential for a managed identity."""
    options = {name: kwargs.pop(name, None) for name in _OWN}
    if kwargs:
        from ._options import check

        check(credential, kwargs, ("client_id", "identity_config", *_OWN))
    names = {name: value for name, value in (identity_config or {}).items() if value is not None}
    if client_id is not None:
        if names:
            raise ValueError(
                "ManagedIdentityCredential: client_id and identity_config both name an identity; pass only one of them"
            )
        names = {"client_id": client_id}
    if len(names) > 1:
        raise ValueError(
            "ManagedIdentityCredential: identity_config names an identity by "
            f"{' and '.join(sorted(map(repr, names)))}; one is enough"
        )
    for name in names:
        if name not in ("client_id", "object_id", "resource_id"):
            raise ValueError(
                f"ManagedIdentityCredential: identity_config has {name!r}; "
                "it takes 'client_id', 'object_id' or 'resource_id'"
            )
    options.update({f"identity_{name}": value for name, value in names.items()})
    credential._configure("managed identity", options)
