"""The asynchronous default chain."""

from __future__ import annotations

from .._default import configure
from ._chained import ChainedTokenCredential


class DefaultAzureCredential(ChainedTokenCredential):
    """Signs in with whatever is there; see :class:`entrada.DefaultAzureCredential`."""

    __module__ = "entrada.aio"

    def __init__(self, **kwargs: object) -> None:
        configure(self, kwargs)
