"""A developer signed in with the Azure CLI: many threads, two credential objects, an event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from azure.identity import AzureCliCredential
from azure.identity.aio import AzureCliCredential as AsyncAzureCliCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient as AsyncSubscriptionClient

SCOPE = "https://management.azure.com/.default"

credentials = [AzureCliCredential(), AzureCliCredential()]
with ThreadPoolExecutor(16) as threads:
    tokens = list(threads.map(lambda number: credentials[number % 2].get_token(SCOPE).token, range(16)))
print(f"{len(set(tokens))} token for {len(tokens)} threads")

print(sorted(item.display_name for item in SubscriptionClient(credentials[0]).subscriptions.list()))


async def main():
    async with AsyncAzureCliCredential() as credential, AsyncSubscriptionClient(credential) as client:
        print(sorted([item.display_name async for item in client.subscriptions.list()]))


asyncio.run(main())
