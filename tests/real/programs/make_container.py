"""Make sure that a container exists."""

import sys

from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

client = ContainerClient("https://contosostore.blob.core.windows.net", sys.argv[1], credential=DefaultAzureCredential())
if not client.exists():
    client.create_container()
