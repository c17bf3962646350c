"""An app that goes on as the user who called it."""

from . import _assertions, _entra
from ._credential import SyncCredential
from ._options import check_request
from ._signer import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from azure.core.credentials import AccessToken, AccessTokenInfo
    from typing_extensions import Self

    from ._assertions import AssertionSource
    from ._native import Credential

_OWN = ("algorithm",)


class OnBehalfOfCredential(SyncCredential):
    """Authenticates an app as the user who called it: the on-behalf-of flow.

    The *user assertion* is the access token that the user's client sent to this app. One object serves any number of
    users: give the assertion with each request, or make a credential of one user for a service client::

        users = OnBehalfOfCredential(tenant_id, client_id, client_secret=secret)  # once
        token = users.get_token("https://graph.microsoft.com/User.Read", user_assertion=assertion)
        client = SecretClient(vault_url, credential=users.for_user(assertion))

    Each user's tokens are kept apart by a digest of the assertion. A token at hand is found as fast among a hundred
    thousand users as among two. Refresh tokens are kept beside them, so that a long task goes on after the assertion
    has expired.

    Where the user must act first, :class:`InteractionRequiredError` is raised; a web app sends its ``claims`` back to
    the client.

    :param str tenant_id: the tenant's id, or its domain.
    :param str client_id: the app's client id.
    :keyword bytes client_certificate: the app's certificate and private key, as PEM, PKCS#12 or DER.
    :keyword str client_secret: one of the app's client secrets.
    :keyword client_assertion_func: a function that returns an assertion of the app, which may be ``async def``, or a
        ready-made source; see :class:`ClientAssertionCredential`.
    :keyword signer: an object that signs with the app's key; see :class:`CertificateCredential`.
    :keyword str user_assertion: the user's access token. Without one, it is given with each request.
    :keyword password: the password of the certificate, as str or bytes.
    :keyword bool send_certificate_chain: send the certificate, and those that vouch for it. False by default.
    :keyword str algorithm: what the certificate's key signs with; see :class:`CertificateCredential`.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument or the certificate cannot be right, or the app proves itself in several ways.
    :raises TypeError: where the user assertion is empty, or the app proves itself in no way.
    """

    __module__ = "entrada"

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        *,
        client_certificate: bytes | None = None,
        client_secret: str | None = None,
        client_assertion_func: "Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource | None" = None,
        user_assertion: str | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        **kwargs: object,
    ) -> None:
        given: dict[str, object] = {
            "client_certificate": client_certificate,
            "client_secret": client_secret,
            "user_assertion": user_assertion,
            "password": password,
            "send_certificate_chain": send_certificate_chain,
        }
        del client_certificate, client_secret, user_assertion, password
        try:
            configure(self, tenant_id, client_id, client_assertion_func, given, kwargs)
        finally:
            given.clear()

    def get_token(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        user_assertion: str | None = None,
        **kwargs: object,
    ) -> "AccessToken":
        """Get an access token of a user, from the process's cache where it has a good one.

        :param str scopes: what the token is for, such as "https://graph.microsoft.com/User.Read".
        :keyword str claims: claims that a resource demanded in a challenge, as JSON; goes past the cache.
        :keyword str tenant_id: the tenant to ask instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :keyword str user_assertion: whose token; by default the user's of whom the credential is.
        :return: the token and, in seconds since 1970-01-01T00:00:00Z, when it expires.
        :raises ValueError: where an argument cannot be right; nothing was sent then.
        :raises ~entrada.InteractionRequiredError: where the user must act first.
        :raises ~azure.core.exceptions.ClientAuthenticationError: where signing in failed.
        """
        if user_assertion is None:
            return super().get_token(*scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **kwargs)
        if kwargs:
            check_request(self, "get_token", kwargs)
        if not claims:
            token = self._at_hand_of(user_assertion, "get_token", scopes, tenant_id, enable_cae)
            if token is not None:
                return token
        user = self._of_user(user_assertion)
        return SyncCredential.get_token(user, *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae)

    def get_token_info(self, *scopes: str, options: "Mapping[str, Any] | None" = None) -> "AccessTokenInfo":
        """Get an access token of a user with all that is known about it; otherwise the same as :meth:`get_token`.

        :param str scopes: what the token is for, such as "https://graph.microsoft.com/User.Read".
        :keyword options: a mapping of ``claims``, ``tenant_id``, ``enable_cae`` and ``user_assertion`` as for
            :meth:`get_token`.
        :return: token, expiry and time of renewal, in seconds since 1970-01-01T00:00:00Z, and the type, "Bearer".
        """
        user, asked = of_user(self, options)
        return SyncCredential.get_token_info(user, *scopes, options=asked)

    def for_user(self, user_assertion: str) -> "Self":
        """Return the credential of one user. It is cheap, and shares all it has with this one.

        :param str user_assertion: the user's access token.
        :raises ValueError: where the assertion cannot be one.
        """
        return self._of_user(user_assertion)


def of_user(credential: "Credential", options: "Mapping[str, Any] | None") -> "tuple[Any, Any]":
    """Return the credential of the user whom options of a request name, and the other options."""
    if not options or options.get("user_assertion") is None:
        return credential, options
    rest = dict(options)
    return credential._of_user(rest.pop("user_assertion")), rest


def configure(
    credential: "Credential",
    tenant_id: str,
    client_id: str,
    client_assertion_func: object,
    given: "dict[str, object]",
    kwargs: dict[str, object],
) -> None:
    """Configure a credential of an app that acts for its users."""
    signer = kwargs.pop("signer", None)
    if given["user_assertion"] == "":
        raise TypeError('"user_assertion" must not be empty.')
    named = [name for name in ("client_certificate", "client_secret") if given[name]]
    named += ["client_assertion_func"] if client_assertion_func else []
    named += ["signer"] if signer is not None else []
    if len(named) > 1:
        raise ValueError(
            "It is invalid to specify more than one of the following: "
            '"client_assertion_func", "client_certificate", "client_secret" or "signer"; '
            f"these are: {', '.join(named)}."
        )
    if not named:
        raise TypeError(
            'Either "client_certificate", "client_secret", "client_assertion_func" or "signer" must be provided'
        )
    options: dict[str, object] = {name: value for name, value in given.items() if value}
    options.update(tenant_id=tenant_id, client_id=client_id)
    if client_assertion_func:
        options.update(_assertions.described(client_assertion_func, "client_assertion_func"))
    if signer is not None:
        options["signer"] = described(signer)
    try:
        _entra.configure(credential, "on behalf of", kwargs, options, _OWN)
    finally:
        del options
