"""Where the assertions come from that an app shows in place of a secret, ready-made."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class AssertionSource:
    """The base of the ready-made sources of assertions.

    They are passed as ``func`` to :class:`ClientAssertionCredential`, and as ``client_assertion_func`` to
    :class:`OnBehalfOfCredential`. The assertion is got for each exchange anew, without running Python. Credentials
    whose sources are constructed alike share their tokens.
    """

    def __init__(self, kind: str, **options: object) -> None:
        self._kind = kind
        self._options = options

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class ManagedIdentityAssertion(AssertionSource):
    """A user-assigned managed identity that vouches for an app, also for one in another tenant: no secret to keep.

    The app needs a federated credential with the identity's tenant as issuer and its object id as subject:
    https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity

    >>> credential = ClientAssertionCredential(tenant_id, client_id, ManagedIdentityAssertion(client_id="..."))

    :keyword str client_id: the client id of the identity.
    :keyword str object_id: its object id, in place of the client id.
    :keyword str resource_id: its Azure resource id, in place of the client id.
    :keyword str audience: the audience of the assertion, by default ``api://AzureADTokenExchange`` or what takes its
        place in the cloud of the authority.
    :raises ValueError: where not exactly one id is given.
    """

    __module__ = "entrada"

    def __init__(
        self,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
        audience: str | None = None,
    ) -> None:
        if sum(value is not None for value in (client_id, object_id, resource_id)) != 1:
            raise ValueError(
                "ManagedIdentityAssertion: pass one of client_id, object_id and resource_id; "
                "Microsoft Entra takes user-assigned identities only"
            )
        super().__init__(
            "managed identity",
            identity_client_id=client_id,
            identity_object_id=object_id,
            identity_resource_id=resource_id,
            audience=audience,
        )


class FileAssertion(AssertionSource):
    """An assertion that somebody keeps in a file, such as the token of a Kubernetes service account.

    :param path: the file. It is read anew for each exchange.
    """

    __module__ = "entrada"

    def __init__(self, path: object) -> None:
        super().__init__("file", path=os.fspath(path))  # type: ignore[call-overload]


class EnvironmentAssertion(AssertionSource):
    """An assertion in an environment variable, as GitLab and Terraform Cloud give it to their jobs.

    :param str name: the name of the variable. It is read anew for each exchange.
    """

    __module__ = "entrada"

    def __init__(self, name: str) -> None:
        super().__init__("environment", name=name)


class UrlAssertion(AssertionSource):
    """An assertion that a server on this machine or network gives.

    :param str url: what to GET: an https URL, or an http one of this machine (loopback).
    :keyword headers: headers of the request, by name.
    :keyword str json_pointer: where in a JSON answer the assertion stands, as a JSON pointer (RFC 6901) such as
        "/token"; by default the whole answer is the assertion.
    """

    __module__ = "entrada"

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, json_pointer: str | None = None) -> None:
        super().__init__("URL", url=url, headers=dict(headers or {}), json_pointer=json_pointer)


class CommandAssertion(AssertionSource):
    """An assertion that a program prints.

    :param str command: the program: an absolute path, or a name that is looked for on PATH. It runs without a shell.
    :param str arguments: its arguments. Every user of the machine can see them: they must hold no secret.
    :keyword str json_pointer: where in JSON output the assertion stands, as a JSON pointer (RFC 6901) such as
        "/token"; by default the whole output is the assertion.
    :keyword float timeout: how many seconds it may take. 10 by default.
    """

    __module__ = "entrada"

    def __init__(
        self, command: str, *arguments: str, json_pointer: str | None = None, timeout: float | None = None
    ) -> None:
        super().__init__(
            "command", command=command, arguments=list(arguments), json_pointer=json_pointer, timeout=timeout
        )


def described(func: object, name: str) -> dict[str, object]:
    """Return the options of a credential that gets its assertions from ``func``, its argument ``name``."""
    if isinstance(func, AssertionSource):
        return {"assertion": func._kind, "assertion_options": func._options}
    if not callable(func):
        raise TypeError(f"{name} is a function that returns an assertion, not an object of type {type(func).__name__}")
    return {"assertion": "function", "assertion_options": {name: func}}
