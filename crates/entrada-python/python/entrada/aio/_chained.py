"""A chain of a user's own making, asynchronous."""

from __future__ import annotations

from .._chained import configure
from ._credential import AsyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenProvider


class ChainedTokenCredential(AsyncCredential):
    """Asks one credential after the other; see :class:`entrada.ChainedTokenCredential`.

    :param credentials: any objects with asynchronous ``get_token`` or ``get_token_info``.
    :raises ValueError: where there is none.
    """

    __module__ = "entrada.aio"

    credentials: tuple[AsyncTokenProvider, ...] = ()

    def __init__(self, *credentials: AsyncTokenProvider) -> None:
        self.credentials = credentials
        configure(self, credentials, AsyncCredential)

    async def close(self) -> None:
        """Close all credentials of the chain."""
        for credential in self.credentials:
            close = getattr(credential, "close", None)
            if close is not None:
                await close()

    async def _walk(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, enable_cae: bool
    ) -> object:
        from ._walk import walk

        return await walk(self, method, scopes, claims, tenant_id, enable_cae)
