"""The exceptions. Importing this module imports azure-core, which has their base class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ClientAuthenticationError as ClientAuthenticationError

if TYPE_CHECKING:
    from collections.abc import Iterable


class CredentialUnavailableError(ClientAuthenticationError):
    """A way of signing in that is not set up here. Nothing was refused; a chain goes on to the next credential."""

    __module__ = "entrada"

    #: In which condition the endpoint of a managed identity was found, for example "identity_not_assigned"; see
    #: :class:`ManagedIdentityCredential`.
    condition: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return CredentialUnavailableError, (self.message,), {"condition": self.condition}


class _InteractionError(ClientAuthenticationError):
    """What the exceptions have in common that are over when a person has acted."""

    def __init__(
        self, scopes: Iterable[str], message: str | None = None, claims: str | None = None, **kwargs: Any
    ) -> None:
        self._scopes = scopes
        self._claims = claims
        # Not the next class, which may be azure-identity's of the same name.
        ClientAuthenticationError.__init__(
            self,
            message=message or "Interactive authentication is required to get a token. Call 'authenticate' to begin.",
            **kwargs,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Of the public classes: the one that is azure-identity's too has no name to be found by.
        public = next(
            each for each in type(self).__mro__ if each in (AuthenticationRequiredError, InteractionRequiredError)
        )
        return public, (self._scopes, self.message, self._claims)

    @property
    def scopes(self) -> Iterable[str]:
        """The scopes that were asked for."""
        return self._scopes

    @property
    def claims(self) -> str | None:
        """The claims that the next sign-in must bring, as JSON, if any were demanded."""
        return self._claims


class AuthenticationRequiredError(_InteractionError, CredentialUnavailableError):
    """A person must sign in, and the credential was told not to ask by itself; call its ``authenticate``."""

    __module__ = "entrada"


class InteractionRequiredError(_InteractionError):
    """Microsoft Entra wants a person to act first: to consent, or to prove more than they have.

    A web app that acts on behalf of its users sends ``claims`` back to the one who signed the user in.
    """

    __module__ = "entrada"


class ChainExhaustedError(ClientAuthenticationError):
    """No credential of a chain is set up here. A chain around that chain goes on."""

    def __reduce__(self) -> tuple[Any, ...]:
        return ClientAuthenticationError, (self.message,)


ChainExhaustedError.__name__ = ChainExhaustedError.__qualname__ = "ClientAuthenticationError"
ChainExhaustedError.__module__ = ClientAuthenticationError.__module__
