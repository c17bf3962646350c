"""Read a secret of a key vault.

Constructing the credential and the client sends nothing; the first operation does. The times printed here, beside
those of the emulator's journal, show it.
"""

from datetime import datetime, timezone

from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient


def say(text: str) -> None:
    print(f"{datetime.now(timezone.utc):%H:%M:%S.%f} {text}", flush=True)


credential = DefaultAzureCredential()
client = SecretClient(vault_url="https://contoso-vault.vault.azure.net", credential=credential)
say("credential and client are constructed")

secret = client.get_secret("database-password")
say(f"read {secret.name}: {len(secret.value or '')} characters, version {secret.properties.version}")
