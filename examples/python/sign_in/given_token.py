"""Go on with a token that somebody else got: of a variable, of a file that a sidecar writes, of a program.

Here this program gets it itself first, as the managed identity of its host.
"""

import tempfile
from pathlib import Path

from azure.keyvault.secrets import SecretClient
from entrada import CommandCredential, ManagedIdentityCredential, StaticTokenCredential, TokenFileCredential

token = ManagedIdentityCredential().get_token("https://vault.azure.net/.default").token
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "token")
    path.write_text(token)
    for credential in (
        StaticTokenCredential(token),
        # The file is read again when it has changed.
        TokenFileCredential(str(path)),
        # The program is run again when its token is about to expire.
        CommandCredential("cat", str(path)),
    ):
        client = SecretClient("https://contoso-vault.vault.azure.net", credential)
        print("read", client.get_secret("database-password").name)
