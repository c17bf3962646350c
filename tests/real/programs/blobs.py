"""A container from beginning to end, with the official client."""

import os
import sys

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

credential = ManagedIdentityCredential() if sys.argv[1:] == ["managed"] else DefaultAzureCredential()
service = BlobServiceClient(account_url="https://contosostore.blob.core.windows.net", credential=credential)

container_client = service.create_container(f"reports-{os.getpid()}")
blob_client = container_client.get_blob_client("2026/november.csv")
blob_client.upload_blob(b"item,count\nring binder,12\n")
print([blob.name for blob in container_client.list_blobs()])
print(blob_client.download_blob().readall().decode().splitlines())
blob_client.delete_blob()
try:
    blob_client.download_blob()
except ResourceNotFoundError as error:
    print(error.status_code, error.error_code)
container_client.delete_container()
