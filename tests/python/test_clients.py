"""The official service clients, in programs that nobody adapted, through the emulated Azure."""

import pytest

from hosts import CONTROL

APP = {
    "AZURE_TENANT_ID": "7e000000-0000-4000-8000-000000000001",
    "AZURE_CLIENT_ID": "c1000000-0000-4000-8000-000000000001",
    "AZURE_CLIENT_SECRET": "orders-ci~fake.secret",
}
IDENTITY = "c1000000-0000-4000-8000-000000000005"

READS_A_SECRET = """
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

client = SecretClient(vault_url="https://contoso-vault.vault.azure.net", credential=DefaultAzureCredential())
assert client.get_secret("database-password").value
"""
READS_A_SECRET_ASYNCHRONOUSLY = """
import asyncio
from azure.identity.aio import DefaultAzureCredential
from azure.keyvault.secrets.aio import SecretClient

async def main():
    async with DefaultAzureCredential() as credential:
        async with SecretClient("https://contoso-vault.vault.azure.net", credential) as client:
            assert (await client.get_secret("database-password")).value

asyncio.run(main())
"""
LISTS_SUBSCRIPTIONS = """
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.subscriptions import SubscriptionClient
import os

credential = ClientSecretCredential(
    os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], client_secret=os.environ["AZURE_CLIENT_SECRET"]
)
names = [subscription.display_name for subscription in SubscriptionClient(credential).subscriptions.list()]
assert "Contoso Production" in names, names
"""
LISTS_SUBSCRIPTIONS_ASYNCHRONOUSLY = """
import asyncio
from azure.identity.aio import EnvironmentCredential
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient

async def main():
    async with SubscriptionClient(EnvironmentCredential()) as client:
        names = [subscription.display_name async for subscription in client.subscriptions.list()]
    assert "Contoso Production" in names, names

asyncio.run(main())
"""
UPLOADS_A_BLOB = """
import os
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

credential = ManagedIdentityCredential(client_id=os.environ.get("IDENTITY_CLIENT_ID"))
service = BlobServiceClient("https://contosostore.blob.core.windows.net", credential=credential)
container = service.get_container_client("orders")
container.upload_blob("hello.txt", b"hello", overwrite=True)
assert "hello.txt" in [blob.name for blob in container.list_blobs()]
assert container.download_blob("hello.txt").readall() == b"hello"
"""
UPLOADS_A_BLOB_ASYNCHRONOUSLY = """
import asyncio, os
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient

async def main():
    credential = ManagedIdentityCredential(client_id=os.environ.get("IDENTITY_CLIENT_ID"))
    async with BlobServiceClient("https://contosostore.blob.core.windows.net", credential) as service:
        container = service.get_container_client("orders")
        await container.upload_blob("hello.txt", b"hello", overwrite=True)
        assert "hello.txt" in [blob.name async for blob in container.list_blobs()]

asyncio.run(main())
"""


def replaced(run, azure, program, **variables):
    """Run a program with entrada in the place of azure-identity."""
    return run("import entrada\nentrada.install()\n" + program, **azure.variables, **variables)


@pytest.mark.parametrize(
    "program",
    [READS_A_SECRET, READS_A_SECRET_ASYNCHRONOUSLY, LISTS_SUBSCRIPTIONS, LISTS_SUBSCRIPTIONS_ASYNCHRONOUSLY],
)
def test_a_service_principal(azures, run, program):
    azure = azures("laptop")
    replaced(run, azure, program, **APP)
    assert len(azure.exchanges("entra")) == 1, "one token request"


@pytest.mark.parametrize("host", ["vm", "app-service"])
@pytest.mark.parametrize("identity", [{}, {"IDENTITY_CLIENT_ID": IDENTITY}])
@pytest.mark.parametrize("program", [UPLOADS_A_BLOB, UPLOADS_A_BLOB_ASYNCHRONOUSLY])
def test_a_managed_identity(azures, run, program, host, identity):
    azure = azures(host)
    replaced(run, azure, program, **identity)
    assert len(azure.exchanges("imds", "app-service")) == 1, "one token request"


def test_constructing_sends_nothing(azures, run):
    azure = azures("laptop")
    replaced(run, azure, READS_A_SECRET.rpartition("\nassert")[0], **APP)
    assert azure.exchanges("entra", "key-vault") == []


def test_a_default_credential_on_a_host(azures, run):
    azure = azures("vm")
    replaced(run, azure, READS_A_SECRET)
    identity = azure.exchanges("imds")
    assert identity, "the managed identity signed in"


HAS_A_CHALLENGE = (
    CONTROL
    + """
def demand():
    claims = {"access_token": {"acrs": {"essential": True, "value": "c1"}}}
    control("PUT", "/challenges", {"service": "key-vault", "claims": claims})
"""
)
ANSWERS_A_CHALLENGE = (
    HAS_A_CHALLENGE
    + """
from azure.identity import EnvironmentCredential
from azure.keyvault.secrets import SecretClient

client = SecretClient("https://contoso-vault.vault.azure.net", EnvironmentCredential())
assert client.get_secret("database-password").value
demand()
try:
    assert client.get_secret("database-password").value
    assert client.get_secret("database-password").value
finally:
    control("DELETE", "/challenges")
"""
)
ANSWERS_A_CHALLENGE_ASYNCHRONOUSLY = (
    HAS_A_CHALLENGE
    + """
import asyncio
from azure.identity.aio import EnvironmentCredential
from azure.keyvault.secrets.aio import SecretClient

async def main():
    async with SecretClient("https://contoso-vault.vault.azure.net", EnvironmentCredential()) as client:
        assert (await client.get_secret("database-password")).value
        demand()
        try:
            assert (await client.get_secret("database-password")).value
            assert (await client.get_secret("database-password")).value
        finally:
            control("DELETE", "/challenges")

asyncio.run(main())
"""
)


@pytest.mark.parametrize("program", [ANSWERS_A_CHALLENGE, ANSWERS_A_CHALLENGE_ASYNCHRONOUSLY])
def test_a_claims_challenge_is_answered(azures, run, program):
    azure = azures("laptop")
    replaced(run, azure, program, **APP)
    assert len(azure.exchanges("entra")) == 2, "a token, and one with what was demanded"
