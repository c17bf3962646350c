"""Sign in from a Kubernetes pod, with what the workload identity webhook set up."""

from azure.identity import WorkloadIdentityCredential
from azure.keyvault.secrets import SecretClient

client = SecretClient("https://contoso-vault.vault.azure.net", WorkloadIdentityCredential())
print("read", client.get_secret("database-password").name)
