"""For clients built on msrest, which ask a credential for a signed session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

    from ._native import Credential

SCOPE = "https://management.azure.com/.default"


def signed_session(credential: Credential, session: requests.Session | None) -> requests.Session:
    """Put a token for Azure Resource Manager into a session's headers."""
    if session is None:
        try:
            import requests
        except ImportError as error:
            raise ImportError("signed_session needs the package requests: pip install requests") from error
        session = requests.Session()
    session.headers["Authorization"] = "Bearer " + credential.get_token(SCOPE)[0]
    return session
