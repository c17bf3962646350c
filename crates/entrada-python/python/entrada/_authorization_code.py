"""A person whom a web app has sent to sign in."""

from . import _assertions, _entra
from ._credential import SyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential

_OWN = ("client_secret", "client_certificate", "password", "send_certificate_chain", "code_verifier")


class AuthorizationCodeCredential(SyncCredential):
    """Authenticates a person by the authorization code that Microsoft Entra sent to a web app's redirect URI.

    The code is good for one exchange. The refresh token that comes with it, kept in memory, gets all further tokens.

    See https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.

    :param str tenant_id: the tenant that the person signed in to, its id or domain.
    :param str client_id: the app's client id.
    :param str authorization_code: the code.
    :param str redirect_uri: where the code was sent to.
    :keyword str client_secret: one of the app's client secrets; none for a public client.
    :keyword bytes client_certificate: the app's certificate and key in place of a secret, as PEM, PKCS#12 or DER.
    :keyword password: the password of the certificate, as str or bytes.
    :keyword bool send_certificate_chain: send the certificate, and those that vouch for it. False by default.
    :keyword client_assertion_func: a function that returns an assertion of the app, in place of a secret, or a
        ready-made source; see :class:`ClientAssertionCredential`.
    :keyword str code_verifier: the verifier whose challenge was sent with the person (RFC 7636), where one was.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument cannot be right.
    """

    __module__ = "entrada"

    def __init__(
        self, tenant_id: str, client_id: str, authorization_code: str, redirect_uri: str, **kwargs: object
    ) -> None:
        try:
            configure(self, tenant_id, client_id, authorization_code, redirect_uri, kwargs)
        finally:
            del authorization_code


def configure(
    credential: "Credential",
    tenant_id: str,
    client_id: str,
    authorization_code: str,
    redirect_uri: str,
    kwargs: dict[str, object],
) -> None:
    """Configure a credential with an authorization code."""
    given: dict[str, object] = {
        "tenant_id": tenant_id,
        "client_id": client_id,
        "authorization_code": authorization_code,
        "redirect_uri": redirect_uri,
    }
    del authorization_code
    func = kwargs.pop("client_assertion_func", None)
    if func is not None:
        given.update(_assertions.described(func, "client_assertion_func"))
    ways = [func is not None, *(kwargs.get(name) is not None for name in ("client_secret", "client_certificate"))]
    try:
        if ways.count(True) > 1:
            raise ValueError(
                "It is invalid to specify more than one of the following: "
                '"client_assertion_func", "client_certificate" or "client_secret".'
            )
        _entra.configure(credential, "authorization code", kwargs, given, _OWN)
    finally:
        del given
        kwargs.clear()
