"""Apps that somebody else vouches for, asynchronous."""

from __future__ import annotations

from .. import _azure_pipelines, _client_assertion, _github_actions, _workload_identity
from ._credential import AsyncCredential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._assertions import AssertionSource


class ClientAssertionCredential(AsyncCredential):
    """Authenticates an app with an assertion in place of a secret; see :class:`entrada.ClientAssertionCredential`.

    An ``async def`` function runs on the event loop of whoever waits, and may use what belongs to that loop; a plain
    one on a thread of its own, so that it holds up no task.
    """

    __module__ = "entrada.aio"

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        func: Callable[[], str] | Callable[[], Awaitable[str]] | AssertionSource,
        **kwargs: object,
    ) -> None:
        _client_assertion.configure(self, tenant_id, client_id, func, kwargs)


class WorkloadIdentityCredential(AsyncCredential):
    """Authenticates the app that trusts this pod; see :class:`entrada.WorkloadIdentityCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        token_file_path: str | None = None,
        **kwargs: object,
    ) -> None:
        _workload_identity.configure(self, tenant_id, client_id, token_file_path, kwargs)


class AzurePipelinesCredential(AsyncCredential):
    """Authenticates a job of Azure Pipelines; see :class:`entrada.AzurePipelinesCredential`."""

    __module__ = "entrada.aio"

    def __init__(
        self,
        *,
        tenant_id: str | None = None,
        client_id: str | None = None,
        service_connection_id: str | None = None,
        system_access_token: str | None = None,
        **kwargs: object,
    ) -> None:
        try:
            _azure_pipelines.configure(self, tenant_id, client_id, service_connection_id, system_access_token, kwargs)
        finally:
            del system_access_token


class GitHubActionsCredential(AsyncCredential):
    """Authenticates a job of GitHub Actions; see :class:`entrada.GitHubActionsCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, *, tenant_id: str | None = None, client_id: str | None = None, **kwargs: object) -> None:
        _github_actions.configure(self, tenant_id, client_id, kwargs)
