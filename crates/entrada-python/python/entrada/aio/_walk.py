"""Walking through an asynchronous chain that has members which are not the core's."""

from __future__ import annotations

from time import perf_counter

from .._chained import is_ours
from .._walk import Report, ask, choose, converted, options, other
from ._credential import AsyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._chained import ChainedTokenCredential


async def walk(
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
        return await _ask(chosen, method, scopes, asked)
    report = Report(chain)
    member: Any
    for member in chain.credentials:
        started = perf_counter()
        ours = is_ours(member, AsyncCredential)
        try:
            if ours:
                token = await member._fetch(method, scopes, claims, tenant_id, enable_cae, within_chain=True)
            else:
                token = await _ask(member, method, scopes, asked)
        except Exception as error:
            report.add(member, error, started, ours=ours)
            continue
        choose(chain, member, ours=ours)
        return token
    raise report.error()


async def _ask(member: Any, method: str, scopes: tuple[str, ...], asked: dict[str, object]) -> Any:
    if hasattr(member, method):
        return await ask(member, method, scopes, asked)
    return converted(await ask(member, other(method), scopes, asked), method)
