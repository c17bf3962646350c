"""A token as an asynchronous function, for clients that want one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from azure.core.credentials_async import AsyncTokenProvider


def get_bearer_token_provider(credential: AsyncTokenProvider, *scopes: str) -> Callable[[], Awaitable[str]]:
    """Return an asynchronous function that returns a token for scopes.

    :param credential: the credential to ask, each time: it keeps its tokens.
    :param str scopes: what the token is for.
    """

    async def provider() -> str:
        if hasattr(credential, "get_token"):
            return (await credential.get_token(*scopes)).token
        return (await credential.get_token_info(*scopes)).token

    return provider
