"""Read by the type checker only: our credentials fit wherever azure-core's protocols are asked for."""

import entrada
import entrada.aio
from azure.core.credentials import AccessToken, AccessTokenInfo, SupportsTokenInfo, TokenCredential, TokenProvider
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential, AsyncTokenProvider

chain = entrada.ChainedTokenCredential(
    entrada.EnvironmentCredential(), entrada.ManagedIdentityCredential(client_id="c"), entrada.AzureCliCredential()
)
secret: TokenCredential = entrada.ClientSecretCredential("t", "c", "s", additionally_allowed_tenants=["*"])


async def assertion() -> str:
    """Return an assertion."""
    return "a"


sources = [
    entrada.ClientAssertionCredential("t", "c", func)
    for func in (entrada.ManagedIdentityAssertion(client_id="i"), entrada.FileAssertion("f"))
]
functions: list[TokenCredential] = [
    entrada.ClientAssertionCredential("t", "c", lambda: "a"),
    entrada.ClientAssertionCredential("t", "c", assertion),
    entrada.WorkloadIdentityCredential(token_file_path="f"),
]
default: SupportsTokenInfo = entrada.DefaultAzureCredential(exclude_cli_credential=True)
provider: TokenProvider = chain
token: AccessToken = secret.get_token("s", claims="{}", tenant_id="t", enable_cae=True)
info: AccessTokenInfo = default.get_token_info("s", options={"enable_cae": True})
text: str = entrada.get_bearer_token_provider(chain, "s")()
hosts: list[str] = [entrada.AzureAuthorityHosts.AZURE_CHINA, entrada.KnownAuthorities.AZURE_PUBLIC_CLOUD]


async def asynchronous() -> None:
    """Use the asynchronous twins."""
    async with entrada.aio.DefaultAzureCredential() as credential:
        plain: AsyncTokenCredential = credential
        informed: AsyncSupportsTokenInfo = entrada.aio.ManagedIdentityCredential()
        provider: AsyncTokenProvider = entrada.aio.ChainedTokenCredential(credential, entrada.aio.AzureCliCredential())
        token: AccessToken = await plain.get_token("s")
        info: AccessTokenInfo = await informed.get_token_info("s")
        text: str = await entrada.aio.get_bearer_token_provider(provider, "s")()
        print(token.expires_on, info.refresh_on, len(text))


try:
    with entrada.ClientSecretCredential("t", "c", "s") as credential:
        credential.signed_session().close()
except entrada.AuthenticationRequiredError as error:
    print(list(error.scopes), error.claims, error.message)
except entrada.CredentialUnavailableError as error:
    print(error.message)
