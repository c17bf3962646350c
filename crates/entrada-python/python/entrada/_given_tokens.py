"""Tokens that somebody else gets: a fixed one, a file's, a program's."""

from __future__ import annotations

import os

from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._native import Credential


class StaticTokenCredential(SyncCredential):
    """Gives the one token that it was given, until it expires: for a script, a test, a notebook.

    It gives the token whatever the scopes of a request are. A request that names another tenant than the token's is
    refused, and so is one with claims.

    :param str token: an access token.
    :keyword int expires_on: when it expires, in seconds since 1970-01-01T00:00:00Z. By default the token says so
        itself, if it is a JWT; where both are known, the earlier one counts.
    :raises ValueError: where the token cannot be one, or nothing says when it expires.
    """

    __module__ = "entrada"

    def __init__(self, token: str, *, expires_on: int | None = None) -> None:
        try:
            configure_static(self, token, expires_on)
        finally:
            del token


class TokenFileCredential(SyncCredential):
    """Gives the token that somebody keeps in a file, and reads it again when the file has changed.

    It gives the token whatever the scopes of a request are. A request that names another tenant than the token's is
    refused, and so is one with claims.

    :param path: the file. It holds the token alone, a JWT that says when it expires; or JSON with the token as
        ``accessToken``, ``access_token`` or ``token`` and its end as ``expires_on``, ``expiresOn`` or ``expires_in``;
        or an ExecCredential of Kubernetes.
    :raises ValueError: where the path cannot be right. The file is read when a token is asked for.
    """

    __module__ = "entrada"

    def __init__(self, path: object) -> None:
        configure_file(self, path)


class CommandCredential(SyncCredential):
    """Gives the token that a program prints, and runs it again when the token expires.

    The program prints a JWT; or JSON with the token as ``accessToken``, ``access_token`` or ``token`` and its end as
    ``expiresOn``, ``expires_on`` or ``expires_in``; or an ExecCredential of Kubernetes.

    :param str command: the program: an absolute path, or a name that is looked for on PATH. It runs without a shell.
    :param str arguments: its arguments. ``{scopes}``, ``{resource}`` and ``{tenant}`` in them become the request's.
        Every user of the machine can see them: they must hold no secret.
    :keyword str tenant_id: what ``{tenant}`` becomes where a request names no tenant.
    :keyword float timeout: how many seconds it may take. 10 by default.
    :raises ValueError: where the command cannot be right. It is run when a token is asked for.
    """

    __module__ = "entrada"

    def __init__(
        self, command: str, *arguments: str, tenant_id: str | None = None, timeout: float | None = None
    ) -> None:
        configure_command(self, command, arguments, tenant_id, timeout)


def configure_static(credential: Credential, token: str, expires_on: int | None) -> None:
    """Configure a credential with a fixed token."""
    options: dict[str, object] = {"token": token, "expires_on": expires_on}
    del token
    try:
        credential._configure("static token", options)
    finally:
        del options


def configure_file(credential: Credential, path: object) -> None:
    """Configure a credential with a token in a file."""
    credential._configure("token file", {"path": os.fspath(path)})  # type: ignore[call-overload]


def configure_command(
    credential: Credential, command: str, arguments: Sequence[str], tenant_id: str | None, timeout: float | None
) -> None:
    """Configure a credential with a program that prints tokens."""
    options = {"command": command, "arguments": list(arguments), "tenant_id": tenant_id, "timeout": timeout}
    credential._configure("command", options)
