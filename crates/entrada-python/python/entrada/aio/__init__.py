"""The asynchronous credentials, for any asyncio event loop.

>>> from entrada.aio import DefaultAzureCredential
>>> credential = DefaultAzureCredential()
>>> token = await credential.get_token("https://vault.azure.net/.default")

They hold no session and belong to no event loop: one credential serves several loops, one after the other or at once,
and there is nothing that must be closed.
"""

from __future__ import annotations

__all__ = [
    "AzureCliCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "ManagedIdentityCredential",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
]

# Where each name lives.
_HOMES = {
    "AzureCliCredential": "_credentials",
    "ChainedTokenCredential": "_chained",
    "ClientAssertionCredential": "_federated",
    "ClientSecretCredential": "_credentials",
    "DefaultAzureCredential": "_default",
    "EnvironmentCredential": "_credentials",
    "ManagedIdentityCredential": "_credentials",
    "WorkloadIdentityCredential": "_federated",
    "get_bearer_token_provider": "_bearer_token",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        import sys

        from .._absent import absent

        raise absent("entrada.aio", name, sys._getframe(1))
    value = getattr(__import__(f"entrada.aio.{home}", fromlist=[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES} - {"annotations"})
