"""A secret from beginning to end, as Microsoft's documentation shows it."""

import logging

from azure.core.exceptions import ResourceNotFoundError
from azure.identity import (
    AzureCliCredential,
    ChainedTokenCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    get_bearer_token_provider,
)
from azure.keyvault.secrets import SecretClient

logging.basicConfig(level=logging.DEBUG)

credential = ChainedTokenCredential(EnvironmentCredential(), ManagedIdentityCredential(), AzureCliCredential())
with credential, SecretClient("https://contoso-vault.vault.azure.net", credential, logging_enable=True) as client:
    bank_secret = client.set_secret("api-key", "swordfish", content_type="text/plain")
    print("set", bank_secret.name, bank_secret.properties.content_type)
    print("get", client.get_secret("api-key").value)
    print("list", sorted(properties.name for properties in client.list_properties_of_secrets()))
    client.begin_delete_secret("api-key").wait()
    try:
        client.get_secret("api-key")
    except ResourceNotFoundError as error:
        print("gone", error.status_code)

token = get_bearer_token_provider(credential, "https://vault.azure.net/.default")()
print("token", token.count("."))
