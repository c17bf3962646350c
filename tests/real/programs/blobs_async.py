"""Blobs with the asynchronous client."""

import asyncio
import os

from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob.aio import BlobServiceClient


async def main():
    async with DefaultAzureCredential() as credential:
        service = BlobServiceClient("https://contosostore.blob.core.windows.net", credential=credential)
        async with service:
            container_client = await service.create_container(f"async-{os.getpid()}")
            await asyncio.gather(*(container_client.upload_blob(f"{number}.txt", b"x") for number in range(10)))
            names = [blob.name async for blob in container_client.list_blobs()]
            print(len(names))
            await container_client.delete_container()


asyncio.run(main())
