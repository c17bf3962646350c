"""Resource Manager on two event loops in turn, with one credential."""

import asyncio

from azure.identity.aio import DefaultAzureCredential
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient

credential = DefaultAzureCredential()


async def subscriptions():
    async with SubscriptionClient(credential) as client:
        return [subscription async for subscription in client.subscriptions.list()]


async def roles(subscription):
    async with AuthorizationManagementClient(credential, subscription.subscription_id) as client:
        return [role async for role in client.role_assignments.list_for_subscription()]


found = asyncio.run(subscriptions())
print(len(found), "subscriptions")
print(len(asyncio.run(roles(found[0]))) > 0)
