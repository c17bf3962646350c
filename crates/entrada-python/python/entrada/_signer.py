"""Keys that never leave where they are: a vault, an HSM, a TPM."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any, Protocol

    class Signer(Protocol):
        """An object that signs for an app, with a key that it need not show.

        It is asked for each exchange with Microsoft Entra, which is seldom: tokens are cached. What it signs is
        compared with the certificate before anything is sent. Its methods run on a thread of their own and may be
        ``async def``; what they raise comes back to whoever waits for the token, as it is.
        """

        @property
        def algorithm(self) -> str:
            """What it signs with: "PS256", "RS256", "ES256" or "ES384" (RFC 7518, section 3)."""
            ...

        @property
        def certificate(self) -> object:
            """The key's certificate, and after it those that vouch for it; or a method that returns them.

            As DER or PEM.
            """
            ...

        def sign(self, data: bytes, /) -> bytes | Awaitable[bytes]:
            """Sign a text, which is not hashed yet.

            A signature of ECDSA is two numbers (RFC 7518, section 3.4), not DER.
            """
            ...


def described(signer: Any) -> dict[str, object]:
    """Return the options of a credential whose key is elsewhere."""
    for name, what in (("algorithm", "a name such as 'PS256'"), ("certificate", "DER or PEM"), ("sign", "a method")):
        if not hasattr(signer, name):
            raise TypeError(f"signer has no {name}: {what}")
    return {"algorithm": signer.algorithm, "certificate": _Certificate(signer), "sign": signer.sign}


class _Certificate:
    """A function that returns a signer's certificate. It pickles if the signer does."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def __call__(self) -> object:
        value: Any = self.signer.certificate
        if callable(value):
            value = value()
        return _later(value) if hasattr(value, "__await__") else as_der(value)


async def _later(value: Awaitable[object]) -> list[bytes]:
    return as_der(await value)


def as_der(value: object) -> list[bytes]:
    """Return certificates, as DER, one after the other."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        if b"-----BEGIN" not in data:
            return [data]
        return [_decoded(part) for part in data.split(b"-----BEGIN CERTIFICATE-----")[1:]]
    if isinstance(value, (list, tuple)):
        return [der for each in value for der in as_der(each)]
    raise TypeError(f"signer.certificate is DER or PEM, not an object of type {type(value).__name__}")


def _decoded(pem: bytes) -> bytes:
    from binascii import a2b_base64

    return a2b_base64(pem.partition(b"-----END")[0])
