"""Sign in as an app with a certificate, of the file that AZURE_CLIENT_CERTIFICATE_PATH names.

A renewed file is taken up without a restart.
"""

import os

from azure.identity import CertificateCredential
from azure.keyvault.secrets import SecretClient

credential = CertificateCredential(
    "7e000000-0000-4000-8000-000000000001",
    "c1000000-0000-4000-8000-000000000001",
    os.environ["AZURE_CLIENT_CERTIFICATE_PATH"],
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
