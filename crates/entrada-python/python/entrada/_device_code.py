"""A person who signs in on another device."""

from datetime import datetime, timezone

from . import _entra
from ._interactive import InteractiveCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._native import Credential

_OWN = ("tenant_id", "authentication_record", "disable_automatic_authentication")
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


class DeviceCodeCredential(InteractiveCredential):
    """Has a person sign in with a code on any device that has a browser: for terminals, SSH sessions, containers.

    The person is asked when a token is needed that cannot be renewed without them, and once for all who wait for it.

    :param str client_id: the client id of the app to sign in to. By default the Azure CLI's, which is not for
        production.
    :keyword float timeout: how many seconds the person has. By default as long as the code is good, which is the most.
    :keyword prompt_callback: a function that tells the person what to do; it may be ``async def``. It takes
        ``verification_uri`` (str), the page to open; ``user_code`` (str), what to enter there; and ``expires_on``
        (datetime.datetime), the UTC time until when. By default a sentence with both is printed. It runs on a thread of
        its own, and what it raises ends the sign-in and comes back as it is.
    :keyword str tenant_id: the tenant to sign in to; by default that of any work or school account.
    :keyword AuthenticationRecord authentication_record: who has signed in before, as ``authenticate`` returned it.
    :keyword bool disable_automatic_authentication: do not ask by itself: ``get_token`` then raises
        :class:`AuthenticationRequiredError` where a person is needed. False by default.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(
        self,
        client_id: str = AZURE_CLI,
        *,
        timeout: int | None = None,
        prompt_callback: "Callable[[str, str, datetime], Awaitable[None] | None] | None" = None,
        **kwargs: object,
    ) -> None:
        configure(self, client_id, timeout, prompt_callback, kwargs)


def configure(
    credential: "Credential",
    client_id: str,
    timeout: float | None,
    prompt_callback: "Callable[[str, str, datetime], object] | None",
    kwargs: dict[str, object],
) -> None:
    """Configure a credential that shows a device code."""
    if prompt_callback is not None and not callable(prompt_callback):
        raise TypeError(
            f"prompt_callback is a function that shows a code, not an object of type {type(prompt_callback).__name__}"
        )
    given = {
        # A record says which app it was.
        "client_id": None if kwargs.get("authentication_record") is not None else client_id,
        "timeout": timeout,
        "prompt_callback": show if prompt_callback is None else Prompt(prompt_callback),
    }
    _entra.configure(credential, "device code", kwargs, given, _OWN)


class Prompt:
    """A user's function, called with what it takes. It pickles if the function does."""

    def __init__(self, callback: "Callable[[str, str, datetime], object]") -> None:
        self.callback = callback

    def __call__(self, verification_uri: str, user_code: str, expires_on: float, _message: str) -> object:
        return self.callback(verification_uri, user_code, datetime.fromtimestamp(expires_on, timezone.utc))


def show(_verification_uri: str, _user_code: str, _expires_on: float, message: str) -> None:
    """Print what Microsoft says to do."""
    print(message, flush=True)
