"""The identity of the Azure resource that runs the program."""

from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._native import Credential


class ManagedIdentityCredential(SyncCredential):
    """Authenticates the managed identity of the Azure resource that runs the program.

    The host is told by environment variables: ``IDENTITY_ENDPOINT`` and ``IDENTITY_HEADER`` (App Service, Functions,
    Container Apps), otherwise the Instance Metadata Service of virtual machines, at
    ``AZURE_POD_IDENTITY_AUTHORITY_HOST`` if that is set. Each request takes exactly one scope.

    :keyword str client_id: the client id of a user-assigned identity; without one, the system-assigned identity.
    :keyword identity_config: a user-assigned identity by another of its names: a mapping with one of "client_id",
        "object_id" and "resource_id".
    :raises ValueError: where an argument cannot be right, or several name an identity.
    """

    __module__ = "entrada"

    def __init__(
        self, *, client_id: str | None = None, identity_config: "Mapping[str, str] | None" = None, **kwargs: object
    ) -> None:
        configure(self, client_id, identity_config, kwargs)


def configure(
    credential: "Credential",
    client_id: str | None,
    identity_config: "Mapping[str, str] | None",
    kwargs: dict[str, object],
) -> None:
    """Configure a credential for a managed identity."""
    if kwargs:
        from ._options import check

        check(credential, kwargs, ("client_id", "identity_config"))
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
    credential._configure("managed identity", {f"identity_{name}": value for name, value in names.items()})
