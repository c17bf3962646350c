"""Tokens that somebody else gets, asynchronous."""

from __future__ import annotations

from .. import _given_tokens
from ._credential import AsyncCredential


class StaticTokenCredential(AsyncCredential):
    """Gives the one token that it was given; see :class:`entrada.StaticTokenCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, token: str, *, expires_on: int | None = None) -> None:
        try:
            _given_tokens.configure_static(self, token, expires_on)
        finally:
            del token


class TokenFileCredential(AsyncCredential):
    """Gives the token that somebody keeps in a file; see :class:`entrada.TokenFileCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, path: object) -> None:
        _given_tokens.configure_file(self, path)


class CommandCredential(AsyncCredential):
    """Gives the token that a program prints; see :class:`entrada.CommandCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self, command: str, *arguments: str, tenant_id: str | None = None, timeout: float | None = None
    ) -> None:
        _given_tokens.configure_command(self, command, arguments, tenant_id, timeout)
