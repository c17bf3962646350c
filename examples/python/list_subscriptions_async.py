"""List the subscriptions an identity may see, in an asyncio program.

This one imports entrada itself. There is nothing to close: `async with` works, and is not needed.
"""

import asyncio

from azure.mgmt.resource.subscriptions.aio import SubscriptionClient
from entrada.aio import DefaultAzureCredential


async def main() -> None:
    credential = DefaultAzureCredential()
    async with SubscriptionClient(credential) as client:
        async for subscription in client.subscriptions.list():
            print(f"{subscription.subscription_id}  {subscription.display_name}")


asyncio.run(main())
