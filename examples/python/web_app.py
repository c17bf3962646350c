"""The same code on App Service and on a developer's machine.

App Service sets WEBSITE_HOSTNAME. There the app signs in with its managed identity, elsewhere with whatever
DefaultAzureCredential finds.
"""

import os

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

if "WEBSITE_HOSTNAME" in os.environ:
    print(f"hosted as {os.environ['WEBSITE_HOSTNAME']}")
    credential = ManagedIdentityCredential()
else:
    print("not hosted: a developer's machine")
    credential = DefaultAzureCredential()

service = BlobServiceClient("https://contosostore.blob.core.windows.net", credential=credential)
for container in service.list_containers():
    print(f"container {container.name}")
