"""An identity without a role asks for blobs."""

from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient

service = BlobServiceClient("https://contosostore.blob.core.windows.net", credential=DefaultAzureCredential())
for attempt in (
    lambda: list(service.get_container_client("orders").list_blobs()),
    lambda: service.get_blob_client("orders", "theft.txt").upload_blob(b"x"),
):
    try:
        attempt()
        print("allowed")
    except HttpResponseError as error:
        print(error.status_code, error.error_code)
