"""What all asynchronous credentials have in common."""

from __future__ import annotations

from asyncio import get_running_loop

from .. import _outcome, _tokens  # noqa: F401 -- see entrada._credential
from .._native import Credential
from .._options import check_request
from ._mailboxes import mailbox_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any

    from azure.core.credentials import AccessToken, AccessTokenInfo
    from typing_extensions import Self


class AsyncCredential(Credential):
    """The base of the asynchronous credentials."""

    async def get_token(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: object,
    ) -> AccessToken:
        """Get an access token for scopes, from the process's cache where it has a good one.

        A cached token is returned without giving way to other tasks. One that is to be replaced soon is returned too,
        while a new one is fetched in the background. Of many callers who need the same token one fetches it; one who is
        cancelled leaves the others alone.

        :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
        :keyword str claims: claims that a resource demanded in a challenge, as JSON; goes past the cache.
        :keyword str tenant_id: the tenant to ask instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :return: the token and, in seconds since 1970-01-01T00:00:00Z, when it expires.
        :raises ValueError: where an argument cannot be right; nothing was sent then.
        :raises ~entrada.CredentialUnavailableError: where this way of signing in is not set up here.
        :raises ~azure.core.exceptions.ClientAuthenticationError: where signing in failed.
        """
        if kwargs:
            check_request(self, "get_token", kwargs)
        if not claims:
            token = self._at_hand("get_token", scopes, tenant_id, enable_cae)
            if token is not None:
                return token
        return await self._fetch("get_token", scopes, claims, tenant_id, enable_cae)

    async def get_token_info(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, *scopes: str, options: Mapping[str, Any] | None = None
    ) -> AccessTokenInfo:
        """Get an access token with all that is known about it; otherwise the same as :meth:`get_token`.

        :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
        :keyword options: a mapping of ``claims``, ``tenant_id`` and ``enable_cae`` as for :meth:`get_token`.
        :return: token, expiry and time of renewal, in seconds since 1970-01-01T00:00:00Z, and the type, "Bearer".
        """
        asked: dict[str, Any] = dict(options or {})
        claims, tenant_id = asked.pop("claims", None), asked.pop("tenant_id", None)
        enable_cae = bool(asked.pop("enable_cae", False))
        if asked:
            check_request(self, "get_token_info", asked)
        if not claims:
            token = self._at_hand("get_token_info", scopes, tenant_id, enable_cae)
            if token is not None:
                return token
        return await self._fetch("get_token_info", scopes, claims, tenant_id, enable_cae)

    async def _fetch(
        self,
        method: str,
        scopes: tuple[str, ...],
        claims: str | None,
        tenant_id: str | None,
        enable_cae: bool,
        within_chain: bool = False,
    ) -> Any:
        walk = getattr(self, "_walk", None)
        if walk is not None and not self._is_configured():
            return await walk(method, scopes, claims, tenant_id, enable_cae)
        loop = get_running_loop()
        future = loop.create_future()
        self._start(mailbox_of(loop), loop, future, method, scopes, claims, tenant_id, enable_cae, within_chain)
        return await future

    async def close(self) -> None:
        """Do nothing: a credential holds no connection that could be closed, and remains usable."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
