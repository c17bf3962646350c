"""The same on asyncio: every way to sign in has its twin in ``entrada.aio``, those of people too."""

import asyncio
from datetime import datetime

from azure.keyvault.secrets.aio import SecretClient
from entrada.aio import DeviceCodeCredential


async def show(verification_uri: str, user_code: str, expires_on: datetime) -> None:
    """Tell the person where to go."""
    print(f"open {verification_uri} before {expires_on:%H:%M} UTC, and enter {user_code}")


async def main() -> None:
    credential = DeviceCodeCredential(
        "c1000000-0000-4000-8000-000000000014",
        tenant_id="7e000000-0000-4000-8000-000000000001",
        prompt_callback=show,
    )
    async with SecretClient("https://contoso-vault.vault.azure.net", credential) as client:
        print("read", (await client.get_secret("database-password")).name)


asyncio.run(main())
