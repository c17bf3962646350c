"""What the native half calls when a token was fetched, or was not: exceptions and logging."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._exceptions import CredentialUnavailableError


def success(owner: object, method: str, within_chain: bool) -> None:
    """Log that a token was fetched."""
    logging = sys.modules.get("logging")
    if logging is not None:
        level = logging.DEBUG if within_chain else logging.INFO
        logging.getLogger("azure.identity").log(level, "%s.%s succeeded", type(owner).__name__, method)


def failure(
    owner: object,
    method: str,
    within_chain: bool,
    kind: str,
    is_chain: bool,
    message: str,
    scopes: tuple[str, ...],
    claims: str | None,
    condition: str | None,
    raised: BaseException | None,
) -> BaseException:
    """Return the exception for an outcome, and log it.

    ``kind`` is what the core says of it: that an argument is invalid, that this way of signing in is unavailable,
    that a chain has none available, that a person must act, or that signing in failed. ``condition`` is the state in
    which the endpoint of a managed identity was found, and becomes an attribute of the exception. ``raised`` is the
    exception of a function that the user gave to the credential: it comes back as it is, or is what a chain's comes of.
    """
    logging = sys.modules.get("logging")
    if logging is not None:
        level = logging.DEBUG if within_chain else logging.WARNING
        logging.getLogger("azure.identity").log(level, "%s.%s failed: %s", type(owner).__name__, method, message)
    if raised is not None and not is_chain:
        return raised
    if kind == "invalid argument":
        return ValueError(message)
    made = _made(kind, message, scopes, claims)
    made.condition = condition  # type: ignore[attr-defined]
    made.__cause__ = raised
    return made


def _made(kind: str, message: str, scopes: tuple[str, ...], claims: str | None) -> Exception:
    from . import _exceptions

    if kind == "unavailable":
        return as_theirs(_exceptions.CredentialUnavailableError)(message=message)
    if kind == "none available":
        return _exceptions.ChainExhaustedError(message=message)
    if kind == "interaction required":
        return _exceptions.InteractionRequiredError(scopes, message=message, claims=claims)
    if kind == "authentication required":
        return as_theirs(_exceptions.AuthenticationRequiredError)(scopes, message=message, claims=claims)  # type: ignore[call-arg]
    return _exceptions.ClientAuthenticationError(message=message)


def as_theirs(ours: "type[CredentialUnavailableError]") -> "type[CredentialUnavailableError]":
    """Return a class that says "not set up here", or that a person must sign in.

    In a program that also uses azure-identity it is a subclass of that one's class too, so that its chains go on.
    """
    theirs = getattr(sys.modules.get("azure.identity"), ours.__name__, ours)
    if issubclass(ours, theirs):
        return ours
    both = _both.get(ours)
    if both is None or not issubclass(both, theirs):
        both = _both[ours] = type(ours.__name__, (ours, theirs), {"__module__": "entrada"})
    return both


_both: "dict[type, type[CredentialUnavailableError]]" = {}
