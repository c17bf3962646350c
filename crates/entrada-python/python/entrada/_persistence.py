"""The wish to keep tokens on disk."""

from __future__ import annotations


class TokenCachePersistenceOptions:
    """Options for keeping tokens across processes.

    Credentials accept them as ``cache_persistence_options``. This version keeps tokens in memory only, and warns of
    that.

    :keyword bool allow_unencrypted_storage: whether a plain file may be used where nothing encrypts. False by default.
    :keyword str name: the name of the cache. "msal.cache" by default.
    """

    __module__ = "entrada"

    def __init__(self, *, allow_unencrypted_storage: bool = False, name: str = "msal.cache", **_kwargs: object) -> None:
        self.allow_unencrypted_storage = allow_unencrypted_storage
        self.name = name
