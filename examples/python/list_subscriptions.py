"""List the subscriptions an identity may see."""

from azure.identity import DefaultAzureCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient

client = SubscriptionClient(DefaultAzureCredential())

for subscription in client.subscriptions.list():
    print(f"{subscription.subscription_id}  {subscription.display_name}")
