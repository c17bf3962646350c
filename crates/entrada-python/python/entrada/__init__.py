"""Sign in to Azure: the credentials of azure-identity, from one fast core.

>>> from entrada import DefaultAzureCredential
>>> credential = DefaultAzureCredential()
>>> token = credential.get_token("https://vault.azure.net/.default")

Every credential has ``get_token`` and ``get_token_info`` and fits wherever an azure-core ``TokenCredential`` does.
Their asynchronous twins are in :mod:`entrada.aio`. Constructing one sends nothing. Credentials that are constructed
alike share their tokens, whatever thread, task or event loop asks.

Names are loaded when they are first used: importing this package takes no time worth measuring, and neither it nor
getting a token imports azure-core. The exceptions do, because azure-core has their base class.
"""

__all__ = [
    "AuthenticationRecord",
    "AuthenticationRequiredError",
    "AuthorizationCodeCredential",
    "AzureAuthorityHosts",
    "AzureCliCredential",
    "AzurePipelinesCredential",
    "CertificateCredential",
    "ChainedTokenCredential",
    "ClientAssertionCredential",
    "ClientSecretCredential",
    "CredentialUnavailableError",
    "DefaultAzureCredential",
    "DeviceCodeCredential",
    "EnvironmentCredential",
    "InteractiveBrowserCredential",
    "KnownAuthorities",
    "ManagedIdentityCredential",
    "OnBehalfOfCredential",
    "TokenCachePersistenceOptions",
    "UsernamePasswordCredential",
    "WorkloadIdentityCredential",
    "get_bearer_token_provider",
    # azure-identity has none of these.
    "CommandAssertion",
    "CommandCredential",
    "EnvironmentAssertion",
    "FileAssertion",
    "GitHubActionsCredential",
    "InteractionRequiredError",
    "ManagedIdentityAssertion",
    "StaticTokenCredential",
    "TokenFileCredential",
    "UrlAssertion",
]

__version__ = "0.1.0"

# Where each name lives.
_HOMES = {
    "AccessToken": "_tokens",
    "AccessTokenInfo": "_tokens",
    "AuthenticationRecord": "_record",
    "AuthenticationRequiredError": "_exceptions",
    "AuthorizationCodeCredential": "_authorization_code",
    "AzureAuthorityHosts": "_authorities",
    "AzureCliCredential": "_azure_cli",
    "AzurePipelinesCredential": "_azure_pipelines",
    "CertificateCredential": "_certificate",
    "ChainedTokenCredential": "_chained",
    "ClientAssertionCredential": "_client_assertion",
    "ClientSecretCredential": "_client_secret",
    "CommandAssertion": "_assertions",
    "CommandCredential": "_given_tokens",
    "CredentialUnavailableError": "_exceptions",
    "DefaultAzureCredential": "_default",
    "DeviceCodeCredential": "_device_code",
    "EnvironmentAssertion": "_assertions",
    "EnvironmentCredential": "_environment",
    "FileAssertion": "_assertions",
    "GitHubActionsCredential": "_github_actions",
    "InteractionRequiredError": "_exceptions",
    "InteractiveBrowserCredential": "_interactive_browser",
    "KnownAuthorities": "_authorities",
    "ManagedIdentityAssertion": "_assertions",
    "ManagedIdentityCredential": "_managed_identity",
    "OnBehalfOfCredential": "_on_behalf_of",
    "StaticTokenCredential": "_given_tokens",
    "TokenCachePersistenceOptions": "_persistence",
    "TokenFileCredential": "_given_tokens",
    "UrlAssertion": "_assertions",
    "UsernamePasswordCredential": "_username_password",
    "WorkloadIdentityCredential": "_workload_identity",
    "get_bearer_token_provider": "_bearer_token",
    "install": "_install",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        import sys

        from ._absent import absent

        raise absent("entrada", name, sys._getframe(1))
    value = getattr(__import__(f"entrada.{home}", fromlist=[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "aio"})
