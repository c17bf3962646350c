"""Sign in as an app with an assertion that this program gets from somewhere: here the token of a service account."""

import os
from pathlib import Path

from azure.identity import ClientAssertionCredential
from azure.keyvault.secrets import SecretClient


def assertion() -> str:
    """Called for each exchange with Entra, so that it is never an old one."""
    return Path(os.environ["AZURE_FEDERATED_TOKEN_FILE"]).read_text()


credential = ClientAssertionCredential("7e000000-0000-4000-8000-000000000001", os.environ["AZURE_CLIENT_ID"], assertion)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
