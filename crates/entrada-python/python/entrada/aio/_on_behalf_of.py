"""An app that goes on as the user who called it, asynchronous."""

from __future__ import annotations

from .._on_behalf_of import configure, of_user
from .._options import check_request
from ._credential import AsyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from azure.core.credentials import AccessToken, AccessTokenInfo
    from typing_extensions import Self

    from .._assertions import AssertionSource


class OnBehalfOfCredential(AsyncCredential):
    """Authenticates an app as the user who called it; see :class:`entrada.OnBehalfOfCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        *,
        client_certificate: bytes | None = None,
        client_secret: str | None = None,
        client_assertion_func: Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource | None = None,
        user_assertion: str | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        **kwargs: object,
    ) -> None:
        given: dict[str, object] = {
            "client_certificate": client_certificate,
            "client_secret": client_secret,
            "user_assertion": user_assertion,
            "password": password,
            "send_certificate_chain": send_certificate_chain,
        }
        del client_certificate, client_secret, user_assertion, password
        try:
            configure(self, tenant_id, client_id, client_assertion_func, given, kwargs)
        finally:
            given.clear()

    async def get_token(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        user_assertion: str | None = None,
        **kwargs: object,
    ) -> AccessToken:
        """Get an access token of a user, from the process's cache where it has a good one.

        :param str scopes: what the token is for, such as "https://graph.microsoft.com/User.Read".
        :keyword str claims: claims that a resource demanded in a challenge, as JSON; goes past the cache.
        :keyword str tenant_id: the tenant to ask instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :keyword str user_assertion: whose token; by default the user's of whom the credential is.
        :return: the token and, in seconds since 1970-01-01T00:00:00Z, when it expires.
        :raises ValueError: where an argument cannot be right; nothing was sent then.
        :raises ~entrada.InteractionRequiredError: where the user must act first.
        :raises ~azure.core.exceptions.ClientAuthenticationError: where signing in failed.
        """
        if user_assertion is None:
            return await super().get_token(*scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **kwargs)
        if kwargs:
            check_request(self, "get_token", kwargs)
        if not claims:
            token = self._at_hand_of(user_assertion, "get_token", scopes, tenant_id, enable_cae)
            if token is not None:
                return token
        user = self._of_user(user_assertion)
        return await user._fetch("get_token", scopes, claims, tenant_id, enable_cae)

    async def get_token_info(self, *scopes: str, options: Mapping[str, Any] | None = None) -> AccessTokenInfo:
        """Get an access token of a user with all that is known about it; otherwise the same as :meth:`get_token`.

        :param str scopes: what the token is for, such as "https://graph.microsoft.com/User.Read".
        :keyword options: a mapping of ``claims``, ``tenant_id``, ``enable_cae`` and ``user_assertion`` as for
            :meth:`get_token`.
        :return: token, expiry and time of renewal, in seconds since 1970-01-01T00:00:00Z, and the type, "Bearer".
        """
        user, asked = of_user(self, options)
        return await AsyncCredential.get_token_info(user, *scopes, options=asked)

    def for_user(self, user_assertion: str) -> Self:
        """Return the credential of one user. It is cheap, and shares all it has with this one.

        :param str user_assertion: the user's access token.
        :raises ValueError: where the assertion cannot be one.
        """
        return self._of_user(user_assertion)
