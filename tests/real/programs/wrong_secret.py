"""A client secret that has expired, and one that is wrong."""

import os

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient

for secret in ("orders-ci~expired.secret", "orders-ci~mistyped.secret"):
    credential = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], secret)
    try:
        list(SubscriptionClient(credential).subscriptions.list())
    except ClientAuthenticationError as error:
        print(error.message)
