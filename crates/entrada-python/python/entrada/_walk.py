"""Walking through a chain that has members which are not the core's."""

from __future__ import annotations

import sys
from time import perf_counter

from ._chained import is_ours
from ._native import Credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._chained import ChainedTokenCredential

NEXT = (
    "on a developer's machine, run: az login; in Azure, enable the managed identity of the resource; "
    "elsewhere, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
)


def walk(
    chain: ChainedTokenCredential,
    method: str,
    scopes: tuple[str, ...],
    claims: str | None,
    tenant_id: str | None,
    enable_cae: bool,
) -> Any:
    """Get a token from the member that gave one before, or else from the first that does."""
    asked = options(claims, tenant_id, enable_cae)
    chosen = vars(chain).get("_chosen")
    if chosen is not None:
        return _ask(chosen, method, scopes, asked)
    report = Report(chain)
    member: Any
    for member in chain.credentials:
        started = perf_counter()
        try:
            if is_ours(member, Credential):
                token = member._within_chain(method, scopes, claims, tenant_id, enable_cae)
            else:
                token = _ask(member, method, scopes, asked)
        except Exception as error:
            report.add(member, error, started, ours=is_ours(member, Credential))
            continue
        choose(chain, member, ours=is_ours(member, Credential))
        return token
    raise report.error()


def _ask(member: Any, method: str, scopes: tuple[str, ...], asked: dict[str, object]) -> Any:
    if hasattr(member, method):
        return ask(member, method, scopes, asked)
    return converted(ask(member, other(method), scopes, asked), method)


def ask(member: Any, method: str, scopes: tuple[str, ...], asked: dict[str, object]) -> Any:
    """Call a member; what an asynchronous one returns is to be awaited."""
    if method == "get_token":
        return member.get_token(*scopes, **asked)
    return member.get_token_info(*scopes, options=asked)


def other(method: str) -> str:
    """Return the method that a credential may have instead."""
    return "get_token_info" if method == "get_token" else "get_token"


def converted(token: Any, method: str) -> Any:
    """Make what one method returned into what the other one returns."""
    types = sys.modules.get("azure.core.credentials")
    if types is None:
        from . import _tokens as types
    if method == "get_token":
        return types.AccessToken(token.token, token.expires_on)
    return types.AccessTokenInfo(token.token, token.expires_on)


def options(claims: str | None, tenant_id: str | None, enable_cae: bool) -> dict[str, object]:
    """Return the part of a request that was given."""
    given = {"claims": claims, "tenant_id": tenant_id, "enable_cae": enable_cae}
    return {name: value for name, value in given.items() if value}


def choose(chain: Credential, member: Any, *, ours: bool) -> None:
    """Remember who gave a token. Whoever was first stays, so that a program does not change its identity."""
    chosen = vars(chain).setdefault("_chosen", member)
    if ours and chosen is member:
        chain._adopt(member)


class Report:
    """Why the members of a chain gave no token."""

    def __init__(self, chain: object) -> None:
        self._chain = type(chain).__name__
        self._lines: list[tuple[str, int, str]] = []

    def add(self, member: Any, error: Exception, started: float, *, ours: bool) -> None:
        """Note a failure; raises where it ends the walk."""
        if ours and isinstance(error, ValueError):
            raise error
        name = type(member).__name__
        reason = " ".join(str(getattr(error, "message", None) or error).split()).removeprefix(f"{name}: ")
        self._lines.append((name, round((perf_counter() - started) * 1000), reason))
        if not is_unavailable(error):
            raise self.error(stopped_by=name) from error

    def error(self, stopped_by: str | None = None) -> Exception:
        """Return the exception that lists what was tried."""
        from . import _exceptions

        if stopped_by:
            kind, what = (
                _exceptions.ClientAuthenticationError,
                (f"{stopped_by} is set up but failed, and no other identity is tried in its place"),
            )
        else:
            kind, what = _exceptions.ChainExhaustedError, "none of the credentials could sign in"
        width = max(len(name) for name, _, _ in self._lines)
        lines = [f"    {name:{width}}  {took:5} ms  {reason}" for name, took, reason in self._lines]
        text = "\n".join([f"{self._chain}: {what}", "Attempted credentials:", *lines])
        return kind(message=text if stopped_by else f"{text}\n  next: {NEXT}")


def is_unavailable(error: Exception) -> bool:
    """Whether an exception says "not set up here": ours, or azure-identity's in a program that has it."""
    classes: list[type] = []
    ours = sys.modules.get("entrada._exceptions")
    if ours is not None:
        classes += [ours.CredentialUnavailableError, ours.ChainExhaustedError]
    theirs = getattr(sys.modules.get("azure.identity"), "CredentialUnavailableError", None)
    if isinstance(theirs, type):
        classes.append(theirs)
    return isinstance(error, tuple(classes))
