"""The asynchronous credentials, for any asyncio event loop.

>>> from entrada.aio import DefaultAzureCredential
>>> credential = DefaultAzureCredential()
>>> token = await credential.get_token("https://vault.azure.net/.default")

They hold no session and belong to no event loop: one credential serves several loops, one after the other or at once,
and there is nothing that must be closed.
"""

from __future__ import annotations

__all__ = [
    "AuthorizationCodeCredential",
    "AzureCliCredential",
    "AzurePipelinesCredential",
    "CertificateCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "DefaultAzureCredential",
    "EnvironmentCredential",
    "ManagedIdentityCredential",
    "OnBehalfOfCredential",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
    # azure-identity has none of these.
    "CommandCredential",
    "DeviceCodeCredential",
    "GitHubActionsCredential",
    "InteractiveBrowserCredential",
    "StaticTokenCredential",
    "TokenFileCredential",
    "UsernamePasswordCredential",
]

# Where each name lives.
_HOMES = {
    "AuthorizationCodeCredential": "_users",
    "AzureCliCredential": "_credentials",
    "AzurePipelinesCredential": "_federated",
    "CertificateCredential": "_credentials",
    "ChainedTokenCredential": "_chained",
    "ClientAssertionCredential": "_federated",
    "ClientSecretCredential": "_credentials",
    "CommandCredential": "_given_tokens",
    "DefaultAzureCredential": "_default",
    "DeviceCodeCredential": "_users",
    "EnvironmentCredential": "_credentials",
    "GitHubActionsCredential": "_federated",
    "InteractiveBrowserCredential": "_users",
    "ManagedIdentityCredential": "_credentials",
    "OnBehalfOfCredential": "_on_behalf_of",
    "StaticTokenCredential": "_given_tokens",
    "TokenFileCredential": "_given_tokens",
    "UsernamePasswordCredential": "_users",
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
