"""Upload a blob and list its container, with the managed identity of the host.

AZURE_CLIENT_ID chooses a user-assigned identity; without it, the system-assigned one is used.
"""

import os

from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

ACCOUNT_URL = os.environ.get("STORAGE_ACCOUNT_URL", "https://contosostore.blob.core.windows.net")

credential = ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID"))
service = BlobServiceClient(ACCOUNT_URL, credential=credential)
container = service.get_container_client("orders")

for number in (1, 2):
    blob = container.upload_blob(f"2026/order-{number}.json", '{"item": "ring binder"}', overwrite=True)
    print(f"uploaded {blob.blob_name}")

for blob in container.list_blobs(name_starts_with="2026/"):
    print(f"found    {blob.name}, {blob.size} bytes")
