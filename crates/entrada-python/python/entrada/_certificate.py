"""An app that signs in with a certificate."""

from . import _entra
from ._credential import SyncCredential
from ._signer import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import Credential

_OWN = ("certificate_data", "password", "send_certificate_chain", "algorithm")


class CertificateCredential(SyncCredential):
    """Authenticates an app registration (service principal) with a certificate.

    It takes PEM (PKCS#1, PKCS#8 and SEC 1 keys, encrypted PKCS#8) and PKCS#12, with RSA keys; EC keys too, which
    Microsoft Entra may refuse. A file is read again when it has changed, so a renewed certificate is taken up; the
    old one is used until the new one can be.

    :param str tenant_id: the tenant's id, or its domain.
    :param str client_id: the app's client id.
    :param str certificate_path: a file with the certificate and its private key.
    :keyword bytes certificate_data: the same as bytes, in place of the file.
    :keyword signer: an object that signs, in place of both, where the private key never leaves a vault or device. It
        has ``algorithm``, "PS256", "RS256", "ES256" or "ES384"; ``certificate``, an attribute or method with the
        certificate as DER or PEM, or a list of it and those that vouch for it; and a method ``sign`` that takes the
        bytes to sign, not yet hashed, and returns the signature. Both methods may be ``async def``.
    :keyword password: the password of an encrypted key or of PKCS#12, as str or bytes.
    :keyword bool send_certificate_chain: send the certificate, and those that vouch for it, with each assertion. Apps
        that trust certificates by subject name and issuer need it. False by default.
    :keyword str algorithm: what the key signs with, where it must not be what fits the key and the authority: "PS256",
        or "RS256" at AD FS.
    :keyword str authority: the host that issues tokens; by default the one that ``AZURE_AUTHORITY_HOST`` names, else
        login.microsoftonline.com. See :class:`AzureAuthorityHosts`.
    :keyword list[str] additionally_allowed_tenants: tenants that requests may name beside ``tenant_id``; "*" for any.
    :keyword bool disable_instance_discovery: do not ask login.microsoftonline.com whether it knows the authority.
    :raises ValueError: where an argument or the certificate cannot be right.
    :raises OSError: where the file cannot be read.
    """

    __module__ = "entrada"

    def __init__(self, tenant_id: str, client_id: str, certificate_path: str | None = None, **kwargs: object) -> None:
        try:
            configure(self, tenant_id, client_id, certificate_path, kwargs)
        finally:
            kwargs.clear()


def configure(
    credential: "Credential", tenant_id: str, client_id: str, certificate_path: str | None, kwargs: dict[str, object]
) -> None:
    """Configure a credential with a certificate."""
    signer = kwargs.pop("signer", None)
    ways = [bool(certificate_path), bool(kwargs.get("certificate_data")), signer is not None]
    if ways.count(True) > 1:
        raise ValueError(
            'Please specify either "certificate_path" or "certificate_data", not both, or a "signer" alone'
        )
    if not any(ways):
        raise ValueError(
            'CertificateCredential requires a value for either "certificate_path" or "certificate_data", or a "signer"'
        )
    if certificate_path:
        # What is wrong with the file is told as Python tells it; the core reads it, and watches it.
        with open(certificate_path, "rb"):
            pass
    given: dict[str, object] = {"tenant_id": tenant_id, "client_id": client_id}
    given["certificate_path"] = certificate_path or None
    if signer is not None:
        given["signer"] = described(signer)
    _entra.configure(credential, "certificate", kwargs, given, _OWN)
