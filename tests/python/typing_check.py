"""Read by the type checker only: our credentials fit wherever azure-core's protocols are asked for."""

from datetime import datetime

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


class Vault:
    """Signs with a key that it does not show."""

    algorithm = "PS256"
    certificate = b""

    async def sign(self, data: bytes, /) -> bytes:
        """Sign."""
        return data


def prompt(verification_uri: str, user_code: str, expires_on: datetime) -> None:
    """Show a code."""
    print(verification_uri, user_code, expires_on.year)


async def prompt_later(verification_uri: str, user_code: str, expires_on: datetime) -> None:
    """Show a code."""
    prompt(verification_uri, user_code, expires_on)


record: entrada.AuthenticationRecord = entrada.AuthenticationRecord.deserialize("{}")
people: list[TokenCredential] = [
    entrada.DeviceCodeCredential(prompt_callback=prompt),
    entrada.DeviceCodeCredential("c", prompt_callback=prompt_later, timeout=60),
    entrada.InteractiveBrowserCredential(login_hint="ada", authentication_record=record),
    entrada.UsernamePasswordCredential("c", "u", "p"),
    entrada.AuthorizationCodeCredential("t", "c", "code", "https://a/b", client_secret="s"),
]
record = entrada.DeviceCodeCredential().authenticate(scopes=["s"], claims="{}")
apps: list[TokenCredential] = [
    entrada.CertificateCredential("t", "c", "file.pem", password=b"p", send_certificate_chain=True),
    entrada.CertificateCredential("t", "c", signer=Vault()),
    entrada.AzurePipelinesCredential(),
    entrada.GitHubActionsCredential(client_id="c"),
    entrada.StaticTokenCredential("t", expires_on=1),
    entrada.TokenFileCredential("f"),
    entrada.CommandCredential("tool", "{resource}", timeout=1.5),
]
users = entrada.OnBehalfOfCredential("t", "c", client_secret="s")
of_user: entrada.OnBehalfOfCredential = users.for_user("a")
token_of_user: AccessToken = users.get_token("s", user_assertion="a")
info_of_user: AccessTokenInfo = users.get_token_info("s", options={"user_assertion": "a", "enable_cae": True})
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
        who: entrada.AuthenticationRecord = await entrada.aio.InteractiveBrowserCredential().authenticate(scopes=["s"])
        users = entrada.aio.OnBehalfOfCredential("t", "c", client_certificate=b"", password="p")
        token = await users.get_token("s", user_assertion=who.username)
        token = await users.for_user("a").get_token("s")
        print(token.expires_on, info.refresh_on, len(text))


try:
    with entrada.ClientSecretCredential("t", "c", "s") as credential:
        credential.signed_session().close()
except entrada.AuthenticationRequiredError as error:
    print(list(error.scopes), error.claims, error.message)
except entrada.InteractionRequiredError as error:
    print(list(error.scopes), error.claims)
except entrada.CredentialUnavailableError as error:
    print(error.message)
