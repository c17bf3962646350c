"""The native half of the package: see the Rust crate `entrada-python`."""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping
from typing import Any, final

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from typing_extensions import Self

__version__: str

class Credential:
    """What every credential is made of: the core's credential, and the tokens it handed out lately."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None: ...
    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> AccessToken:
        """Get an access token for scopes, from the process's cache where it has a good one.

        A token that is to be replaced soon is returned at once while a new one is fetched in the background; an expired
        one is never returned. Of many callers who need the same token one fetches it. While it is fetched other threads
        run, and Ctrl-C interrupts the wait.

        :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
        :keyword str claims: claims that a resource demanded in a challenge, as JSON; goes past the cache.
        :keyword str tenant_id: the tenant to ask instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :return: the token and, in seconds since 1970-01-01T00:00:00Z, when it expires.
        :raises ValueError: where an argument cannot be right; nothing was sent then.
        :raises ~entrada.CredentialUnavailableError: where this way of signing in is not set up here.
        :raises ~azure.core.exceptions.ClientAuthenticationError: where signing in failed.
        """

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Get an access token with all that is known about it; otherwise the same as :meth:`get_token`.

        :param str scopes: what the token is for, such as "https://vault.azure.net/.default".
        :keyword options: a mapping of ``claims``, ``tenant_id`` and ``enable_cae`` as for :meth:`get_token`.
        :return: token, expiry and time of renewal, in seconds since 1970-01-01T00:00:00Z, and the type, "Bearer".
        """

    def _configure(self, kind: str, options: Mapping[str, object]) -> None: ...
    def _is_configured(self) -> bool: ...
    def _adopt(self, other: Credential) -> None: ...
    def _within_chain(
        self, method: str, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, enable_cae: bool | None
    ) -> Any: ...
    def _at_hand(self, method: str, scopes: tuple[str, ...], tenant_id: str | None, enable_cae: bool | None) -> Any: ...
    def _start(
        self,
        mailbox: Mailbox,
        event_loop: AbstractEventLoop,
        future: Future[Any],
        method: str,
        scopes: tuple[str, ...],
        claims: str | None,
        tenant_id: str | None,
        enable_cae: bool | None,
        within_chain: bool,
    ) -> None: ...
    def _authenticate(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, enable_cae: bool | None
    ) -> Any: ...
    def _at_hand_of(
        self,
        user_assertion: str,
        method: str,
        scopes: tuple[str, ...],
        tenant_id: str | None,
        enable_cae: bool | None,
    ) -> Any: ...
    def _of_user(self, user_assertion: str) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, state: tuple[Any, ...]) -> None: ...

@final
class Bell:
    """Where a thread waits for event loops to be rung."""

    def __init__(self) -> None: ...
    def next(self) -> tuple[AbstractEventLoop, Mailbox]: ...

@final
class Mailbox:
    """Outcomes on their way to the tasks of one event loop."""

    def __init__(self, bell: Bell) -> None: ...
    def clear(self) -> None: ...
    def __call__(self) -> None: ...

@final
class Job:
    """A call of a function that a user gave to a credential, for the thread that took it."""

    def call(self) -> tuple[Callable[..., Any], tuple[Any, ...]] | None: ...
    def loops(self) -> list[AbstractEventLoop]: ...
    def succeed(self, value: object) -> None: ...
    def fail(self, exception: BaseException, is_unavailable: bool) -> None: ...
    def again(self) -> bool: ...

def next_job() -> tuple[Job, bool] | None:
    """Wait for the next call; tells whether another thread is to be started. ``None``: this thread is not needed."""

def no_worker() -> None:
    """Say that a thread which was to be started could not be."""

def read_record(text: str) -> tuple[str, str, str, str, str]:
    """Read an authentication record: tenant id, client id, authority, home account id, user name."""
