"""What to say of names that azure-identity has and this version has not."""

from __future__ import annotations

NOT_YET = frozenset(
    {
        "AuthenticationRecord",
        "AuthorizationCodeCredential",
        "AzureDeveloperCliCredential",
        "AzurePipelinesCredential",
        "AzurePowerShellCredential",
        "CertificateCredential",
        "ClientAssertionCredential",
        "DeviceCodeCredential",
        "InteractiveBrowserCredential",
        "OnBehalfOfCredential",
        "SharedTokenCacheCredential",
        "UsernamePasswordCredential",
        "VisualStudioCodeCredential",
        "WorkloadIdentityCredential",
    }
)


def explain(module: str, name: str) -> str:
    """Return the message for a name that a module of ours does not have."""
    if name in NOT_YET:
        from . import __version__

        return f"entrada {__version__} does not have {name} yet"
    return f"module {module!r} has no attribute {name!r}"
