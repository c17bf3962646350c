"""The hosts of the clouds that issue tokens."""

from __future__ import annotations


class _Hosts(type):
    def __getattr__(cls, name: str) -> str:
        if name == "AZURE_GERMANY":
            import warnings

            warnings.warn(
                "AZURE_GERMANY is deprecated: that cloud was closed on October 29th, 2021",
                DeprecationWarning,
                stacklevel=2,
            )
            return "login.microsoftonline.de"
        raise AttributeError(f"{cls.__name__} has no attribute {name!r}")


class AzureAuthorityHosts(metaclass=_Hosts):
    """The hosts of the clouds, to be passed to a credential as its ``authority``."""

    __module__ = "entrada"

    AZURE_CHINA = "login.chinacloudapi.cn"
    AZURE_GOVERNMENT = "login.microsoftonline.us"
    AZURE_PUBLIC_CLOUD = "login.microsoftonline.com"


class KnownAuthorities(AzureAuthorityHosts):
    """Another name of :class:`AzureAuthorityHosts`."""

    __module__ = "entrada"
