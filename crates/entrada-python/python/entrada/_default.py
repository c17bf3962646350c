"""The default chain: the same code in Azure and on a laptop."""

import os

from ._chained import ChainedTokenCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential


class DefaultAzureCredential(ChainedTokenCredential):
    """Signs in with whatever is there: in Azure a managed identity, on a laptop the developer's own sign-in.

    It asks, in this order, and the first that gives a token is asked alone from then on:

    1. the service principal that environment variables describe (:class:`EnvironmentCredential`);
    2. the identity of the Azure resource that runs the program (:class:`ManagedIdentityCredential`);
    3. the account signed in to the Azure CLI (:class:`AzureCliCredential`).

    ``AZURE_TOKEN_CREDENTIALS`` selects among them: "dev" (3), "prod" (1, 2), or the name of one. Arguments beat it.

    :keyword str authority: the host that issues tokens to the service principal.
    :keyword bool exclude_environment_credential: leave out 1.
    :keyword bool exclude_managed_identity_credential: leave out 2.
    :keyword bool exclude_cli_credential: leave out 3.
    :keyword str managed_identity_client_id: the client id of a user-assigned identity. By default the value of
        ``AZURE_CLIENT_ID``; ``None`` for the system-assigned identity.
    :keyword bool share_between_processes: let the processes of this user share the managed identity's tokens; see
        :class:`ManagedIdentityCredential`.
    :keyword int process_timeout: how many seconds ``az`` may take. 10 by default.
    :keyword bool require_envvar: refuse to be constructed unless ``AZURE_TOKEN_CREDENTIALS`` is set. False by default.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside the service principal's own.
    :raises TypeError: for ``tenant_id``, which this credential does not take.
    :raises ValueError: where an argument or ``AZURE_TOKEN_CREDENTIALS`` cannot be right, or nothing is left to ask.
    """

    __module__ = "entrada"

    def __init__(self, **kwargs: object) -> None:
        configure(self, kwargs)


_OWN = {
    "authority": "authority",
    "additionally_allowed_tenants": "additionally_allowed_tenants",
    "process_timeout": "process_timeout",
    "exclude_environment_credential": "exclude_environment",
    "exclude_managed_identity_credential": "exclude_managed_identity",
    "exclude_cli_credential": "exclude_azure_cli",
    "managed_identity_client_id": "identity_client_id",
    "share_between_processes": "share_between_processes",
}
# Arguments for credentials that azure-identity's chain asks and this one does not.
_ELSEWHERE = {
    "workload_identity": "WorkloadIdentityCredential",
    "shared_token_cache": "SharedTokenCacheCredential",
    "shared_cache": "SharedTokenCacheCredential",
    "visual_studio_code": "VisualStudioCodeCredential",
    "developer_cli": "AzureDeveloperCliCredential",
    "powershell": "AzurePowerShellCredential",
    "interactive_browser": "InteractiveBrowserCredential",
    "broker": "the broker",
}
_ELSEWHERE_ENDINGS = ("tenant_id", "client_id", "username", "credential")


def configure(credential: "Credential", kwargs: dict[str, object]) -> None:
    """Configure a default chain."""
    if "tenant_id" in kwargs:
        raise TypeError("'tenant_id' is not supported in DefaultAzureCredential.")
    if kwargs.pop("require_envvar", False) and not os.environ.get("AZURE_TOKEN_CREDENTIALS", "").strip():
        raise ValueError(
            "AZURE_TOKEN_CREDENTIALS environment variable is required but is not set or is empty. "
            "Set it to 'dev', 'prod', or a specific credential name."
        )
    options: dict[str, object] = {}
    if kwargs.get("managed_identity_client_id", "") is None:
        options["system_assigned"] = True
    for name, core_name in _OWN.items():
        options[core_name] = kwargs.pop(name, None)
    _check_elsewhere(credential, kwargs)
    if kwargs:
        from ._options import check

        check(credential, kwargs, (*_OWN, "require_envvar"))
    credential._configure("default", options)


def _check_elsewhere(credential: "Credential", kwargs: dict[str, object]) -> None:
    """Take out what is for credentials that this version has not, and warn where somebody relies on one."""
    missed: dict[str, str] = {}
    for name in list(kwargs):
        stem = name.removeprefix("exclude_")
        owner = next((owner for key, owner in _ELSEWHERE.items() if stem.startswith(key + "_")), None)
        if owner is None or not stem.endswith(_ELSEWHERE_ENDINGS):
            continue
        value = kwargs.pop(name)
        # To leave out what is not there, and to say nothing, is no loss.
        if value is not None and not (name != stem and value):
            missed[name] = owner
    if missed:
        from ._options import warn

        warn(
            type(credential).__name__,
            [
                f"{name!r} has no effect: the default chain of this version does not ask {owner}"
                for name, owner in missed.items()
            ],
        )
