"""A token as an asynchronous function, for clients that want one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from azure.core.credentials_async import AsyncTokenProvider


def get_bearer_token_provider(credential: AsyncTokenProvider, *scopes: str) -> Callable[[], Awaitable[str]]:
    """Return an asynchronous function that returns a token for scopes.

    :param credential: the credential to ask, each time: it keeps its tokens.
    :param str scopes: what the token is for.
    """

    async def provider() -> str:
        ask: Any = getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)
        return (await ask(*scopes)).token

    return provider
