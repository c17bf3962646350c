"""Who has signed in."""

from __future__ import annotations

from ._native import read_record


class AuthenticationRecord:
    """Non-secret account information of a person who has signed in.

    What ``authenticate`` returns. A credential that is constructed with it is for that account, and asks the person
    only where the account's tokens cannot be renewed without them.

    :param str tenant_id: the tenant that the account signed in to.
    :param str client_id: the client id of the app that it signed in to.
    :param str authority: the host that authenticated it.
    :param str home_account_id: what tells the account from all others.
    :param str username: its name, usually an address.
    """

    __module__ = "entrada"

    def __init__(self, tenant_id: str, client_id: str, authority: str, home_account_id: str, username: str) -> None:
        self._authority = authority
        self._client_id = client_id
        self._home_account_id = home_account_id
        self._tenant_id = tenant_id
        self._username = username

    @property
    def authority(self) -> str:
        """The host that authenticated the account, for example "login.microsoftonline.com"."""
        return self._authority

    @property
    def client_id(self) -> str:
        """The client id of the app that the account signed in to."""
        return self._client_id

    @property
    def home_account_id(self) -> str:
        """What tells the account from all others."""
        return self._home_account_id

    @property
    def tenant_id(self) -> str:
        """The tenant that the account signed in to; a guest's is not the home tenant."""
        return self._tenant_id

    @property
    def username(self) -> str:
        """The account's name. Names change, and are no identity."""
        return self._username

    @classmethod
    def deserialize(cls, data: str) -> AuthenticationRecord:
        """Read what :meth:`serialize` wrote, here or in azure-identity for any language.

        :param str data: the JSON.
        :raises ValueError: where it is of another version, malformed, or a field is missing.
        """
        return cls(*read_record(data))

    def serialize(self) -> str:
        """Write the record as JSON. It contains no secret."""
        from json import dumps

        return dumps(
            {
                "authority": self._authority,
                "clientId": self._client_id,
                "homeAccountId": self._home_account_id,
                "tenantId": self._tenant_id,
                "username": self._username,
                "version": "1.0",
            }
        )
