"""Give a token to a client that wants nothing but its text, such as one of OpenAI's API or of a database."""

from azure.identity import DefaultAzureCredential, get_bearer_token_provider

provider = get_bearer_token_provider(DefaultAzureCredential(), "https://vault.azure.net/.default")
# Before each request: the credential has it at hand but for once in a day or an hour.
header = f"Bearer {provider()}"
print(f"a header of {len(header.replace('.', ' ').split())} parts")
