"""What credentials return where a program has not imported azure-core.

The same in all that can be seen of them as azure-core's classes of these names, which are used instead as soon as the
program has them.
"""

from operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AccessToken(tuple):
    """A token and when it expires: a named tuple, equal to azure-core's.

    ``token`` is what goes after ``Bearer`` in an ``Authorization`` header; ``expires_on`` is in seconds since
    1970-01-01T00:00:00Z. ``repr`` does not show the token.
    """

    __slots__ = ()
    __module__ = "entrada"
    __match_args__ = ("token", "expires_on")
    _fields = ("token", "expires_on")

    def __new__(cls, token: str, expires_on: int) -> "AccessToken":
        return tuple.__new__(cls, (token, expires_on))

    token = property(itemgetter(0), doc="The token itself.")
    expires_on = property(itemgetter(1), doc="When it expires, in seconds since 1970-01-01T00:00:00Z.")

    def __repr__(self) -> str:
        return f"AccessToken(token='***', expires_on={self[1]!r})"

    def __getnewargs__(self) -> tuple[str, int]:
        return tuple(self)

    def _asdict(self) -> "dict[str, Any]":
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **changes: "Any") -> "AccessToken":
        return type(self)(**{**self._asdict(), **changes})


class AccessTokenInfo:
    """A token with all that is known about it.

    ``token`` and ``expires_on`` as in :class:`AccessToken`; ``token_type`` is "Bearer"; from ``refresh_on``, in the
    same unit, its issuer would like it replaced, or ``None`` where it did not say.
    """

    __module__ = "entrada"

    def __init__(
        self, token: str, expires_on: int, *, token_type: str = "Bearer", refresh_on: int | None = None
    ) -> None:
        self.token = token
        self.expires_on = expires_on
        self.refresh_on = refresh_on
        self.token_type = token_type

    def __repr__(self) -> str:
        return (
            f"AccessTokenInfo(token='***', expires_on={self.expires_on!r}, "
            f"token_type={self.token_type!r}, refresh_on={self.refresh_on!r})"
        )
