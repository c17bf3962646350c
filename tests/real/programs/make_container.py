"""Make sure that a container exists."""

import sys

from azure.core.exceptions import ResourceExistsError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

try:
    ContainerClient(
        "https://contosostore.blob.core.windows.net", sys.argv[1], credential=DefaultAzureCredential()
    ).create_container()
except ResourceExistsError:
    pass
