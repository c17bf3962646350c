"""What the asynchronous credentials have in common that ask a person to sign in."""

from __future__ import annotations

from .._interactive import as_scopes
from .._options import check_request
from ._credential import AsyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._record import AuthenticationRecord


class InteractiveCredential(AsyncCredential):
    """The base of the asynchronous credentials that ask a person to sign in."""

    async def authenticate(
        self,
        *,
        scopes: Iterable[str] | None = None,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: object,
    ) -> AuthenticationRecord:
        """Have a person sign in, whatever there is already.

        Whoever signs in is whose tokens this credential returns from then on. Other tasks run while the person is
        waited for; one that is cancelled leaves the sign-in to those who still wait.

        :keyword scopes: what to sign in for, such as ``scopes`` of an :class:`entrada.AuthenticationRequiredError`; by
            default Azure Resource Manager of the authority's cloud. The token for them is kept.
        :keyword str claims: claims that the sign-in must bring, as JSON, such as ``claims`` of an
            :class:`entrada.AuthenticationRequiredError`.
        :keyword str tenant_id: the tenant to sign in to instead of the credential's own, where it allows that.
        :keyword bool enable_cae: whether the caller can handle continuous access evaluation challenges.
        :return: who has signed in.
        :raises ValueError: where an argument cannot be right, or the authority needs ``scopes``.
        :raises ~entrada.CredentialUnavailableError: where nobody can be asked here.
        :raises ~azure.core.exceptions.ClientAuthenticationError: where nobody signed in, or was let in.
        """
        if kwargs:
            check_request(self, "authenticate", kwargs)
        return await self._fetch("authenticate", as_scopes(scopes), claims, tenant_id, enable_cae)
