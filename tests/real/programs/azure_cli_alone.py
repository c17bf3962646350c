"""What AzureCliCredential says."""

from azure.identity import AzureCliCredential, CredentialUnavailableError

try:
    AzureCliCredential().get_token("https://management.azure.com/.default")
    print("a token")
except CredentialUnavailableError as error:
    print(error.message)
