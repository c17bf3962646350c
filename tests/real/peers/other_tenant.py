"""A vault of a tenant that is not the app's own: its challenge says which one it is.

Arguments: `sync` or `aio`, and the tenants that are allowed besides the app's own.
"""

import asyncio
import os
import sys

import azure.identity
import azure.identity.aio
import azure.keyvault.secrets
import azure.keyvault.secrets.aio
from azure.core.exceptions import ClientAuthenticationError

VAULT = "https://fabrikam-vault.vault.azure.net"
face, *allowed = sys.argv[1:]
arguments = {
    "tenant_id": os.environ["AZURE_TENANT_ID"],
    "client_id": os.environ["AZURE_CLIENT_ID"],
    "client_secret": os.environ["AZURE_CLIENT_SECRET"],
    "additionally_allowed_tenants": allowed,
}


def read():
    credential = azure.identity.ClientSecretCredential(**arguments)
    with credential, azure.keyvault.secrets.SecretClient(VAULT, credential) as client:
        return [client.get_secret("database-password").value for _ in range(2)]


async def read_async():
    credential = azure.identity.aio.ClientSecretCredential(**arguments)
    async with credential, azure.keyvault.secrets.aio.SecretClient(VAULT, credential) as client:
        return [(await client.get_secret("database-password")).value for _ in range(2)]


try:
    values = read() if face == "sync" else asyncio.run(read_async())
except ClientAuthenticationError as error:
    print(f"{type(error).__name__}: {error}")
else:
    print(*values, sep="\n")
