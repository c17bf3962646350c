"""A token as a function, for clients that want one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from azure.core.credentials import TokenProvider


def get_bearer_token_provider(credential: TokenProvider, *scopes: str) -> Callable[[], str]:
    """Return a function that returns a token for scopes.

    :param credential: the credential to ask, each time: it keeps its tokens.
    :param str scopes: what the token is for.
    """

    def provider() -> str:
        ask: Any = getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)
        return ask(*scopes).token

    return provider
