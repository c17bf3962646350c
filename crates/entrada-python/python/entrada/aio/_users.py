"""People who sign in, asynchronous. azure-identity has most of these in its synchronous half only."""

from __future__ import annotations

from .. import _authorization_code, _device_code, _interactive_browser, _username_password
from ._credential import AsyncCredential
from ._interactive import InteractiveCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime


class DeviceCodeCredential(InteractiveCredential):
    """Has a person sign in with a code on any device; see :class:`entrada.DeviceCodeCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self,
        client_id: str = _device_code.AZURE_CLI,
        *,
        timeout: int | None = None,
        prompt_callback: Callable[[str, str, datetime], Awaitable[None] | None] | None = None,
        **kwargs: object,
    ) -> None:
        _device_code.configure(self, client_id, timeout, prompt_callback, kwargs)


class InteractiveBrowserCredential(InteractiveCredential):
    """Opens the browser of this machine; see :class:`entrada.InteractiveBrowserCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, **kwargs: object) -> None:
        _interactive_browser.configure(self, kwargs)


class UsernamePasswordCredential(InteractiveCredential):
    """Signs a person in with a password. Deprecated; see :class:`entrada.UsernamePasswordCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, client_id: str, username: str, password: str, **kwargs: object) -> None:
        try:
            _username_password.configure(self, client_id, username, password, kwargs)
        finally:
            del password


class AuthorizationCodeCredential(AsyncCredential):
    """Authenticates a person by an authorization code; see :class:`entrada.AuthorizationCodeCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        authorization_code: str,
        redirect_uri: str,
        *,
        client_secret: str | None = None,
        **kwargs: object,
    ) -> None:
        kwargs["client_secret"] = client_secret
        del client_secret
        try:
            _authorization_code.configure(self, tenant_id, client_id, authorization_code, redirect_uri, kwargs)
        finally:
            del authorization_code
