"""What all synchronous credentials have beside ``get_token``."""

# The native half uses the other two. Were they imported only then, a thread that forks meanwhile would leave its child
# with their import locks taken for ever.
from . import _outcome, _tokens  # noqa: F401
from ._native import Credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    import requests
    from typing_extensions import Self


class SyncCredential(Credential):
    """The base of the synchronous credentials."""

    def close(self) -> None:
        """Do nothing: a credential holds no connection that could be closed, and remains usable."""

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        exc_type: "type[BaseException] | None" = None,
        exc_value: "BaseException | None" = None,
        traceback: "TracebackType | None" = None,
    ) -> None:
        self.close()

    def signed_session(self, session: "requests.Session | None" = None) -> "requests.Session":
        """Return a session that signs requests to Azure Resource Manager, for clients built on msrest.

        :param session: the session to sign; by default a new one.
        """
        from ._signed_session import signed_session

        return signed_session(self, session)
