"""Sign in as an app with a key that this program cannot read, such as one in a vault or a hardware module.

The key signs when it is asked to. Here a program of its own has it, in the place of the vault.
"""

import os
import subprocess

from azure.keyvault.secrets import SecretClient
from entrada import CertificateCredential

PATH = os.environ["AZURE_CLIENT_CERTIFICATE_PATH"]


class Vault:
    """Asks a program to sign, which alone can read the key."""

    algorithm = "RS256"

    def certificate(self) -> bytes:
        return subprocess.run(
            ["openssl", "x509", "-outform", "DER", "-in", PATH], capture_output=True, check=True
        ).stdout

    def sign(self, data: bytes) -> bytes:
        return subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", PATH], input=data, capture_output=True, check=True
        ).stdout


credential = CertificateCredential(
    "7e000000-0000-4000-8000-000000000001", "c1000000-0000-4000-8000-000000000001", signer=Vault()
)
client = SecretClient("https://contoso-vault.vault.azure.net", credential)
print("read", client.get_secret("database-password").name)
