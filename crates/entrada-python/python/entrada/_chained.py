"""A chain of a user's own making."""

from ._credential import SyncCredential
from ._native import Credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from azure.core.credentials import TokenProvider
    from typing_extensions import Self


class ChainedTokenCredential(SyncCredential):
    """Asks one credential after the other until one gives a token, and that one alone from then on.

    The chain goes on where a credential raises :class:`CredentialUnavailableError`, and stops at any other exception:
    otherwise a mistake would silently become another identity.

    :param credentials: any objects with ``get_token`` or ``get_token_info``, these credentials or others.
    :raises ValueError: where there is none.
    """

    __module__ = "entrada"

    credentials: "tuple[TokenProvider, ...]" = ()

    def __init__(self, *credentials: "TokenProvider") -> None:
        self.credentials = credentials
        configure(self, credentials, Credential)

    def __enter__(self) -> "Self":
        for credential in self.credentials:
            enter = getattr(credential, "__enter__", None)
            if enter is not None:
                enter()
        return self

    def __exit__(
        self,
        exc_type: "type[BaseException] | None" = None,
        exc_value: "BaseException | None" = None,
        traceback: "TracebackType | None" = None,
    ) -> None:
        for credential in self.credentials:
            leave = getattr(credential, "__exit__", None)
            if leave is not None:
                leave(exc_type, exc_value, traceback)

    def close(self) -> None:
        """Close all credentials of the chain."""
        self.__exit__()

    def _walk(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, enable_cae: bool
    ) -> object:
        """Get a token where not all members are the core's. The native half calls this."""
        from ._walk import walk

        return walk(self, method, scopes, claims, tenant_id, enable_cae)


def configure(chain: Credential, credentials: tuple[object, ...], base: type) -> None:
    """Give a chain to the core, if all its members are the core's."""
    if not credentials:
        raise ValueError("at least one credential is required")
    for credential in credentials:
        if not (hasattr(credential, "get_token") or hasattr(credential, "get_token_info")):
            raise TypeError(f"a chain consists of credentials; {type(credential).__name__!r} has no get_token")
    if all(is_ours(credential, base) for credential in credentials):
        chain._configure("chain", {"credentials": list(credentials)})


def is_ours(credential: object, base: type) -> bool:
    """Whether a credential does what the core does and no more: one of ours, and nobody has replaced its methods.

    ``base`` is the class whose ``get_token`` that is.
    """
    return (
        isinstance(credential, Credential)
        and credential._is_configured()
        and all(
            getattr(type(credential), name) is getattr(base, name) and name not in vars(credential)
            for name in ("get_token", "get_token_info")
        )
    )
