"""Taking the place of azure-identity."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

from ._absent import absent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

# Programs ask azure.identity for its version to see what it can do.
SPEAKS_FOR = "1.27.0"
_OURS = {"azure.identity": "entrada", "azure.identity.aio": "entrada.aio"}
# What azure-identity does not have. In its place there is nothing that it has not.
ADDED = {
    "azure.identity": frozenset(
        {
            "CommandAssertion",
            "CommandCredential",
            "EnvironmentAssertion",
            "FileAssertion",
            "GitHubActionsCredential",
            "InteractionRequiredError",
            "ManagedIdentityAssertion",
            "StaticTokenCredential",
            "TokenFileCredential",
            "UrlAssertion",
        }
    ),
    "azure.identity.aio": frozenset(
        {
            "CommandCredential",
            "DeviceCodeCredential",
            "GitHubActionsCredential",
            "InteractiveBrowserCredential",
            "StaticTokenCredential",
            "TokenFileCredential",
            "UsernamePasswordCredential",
        }
    ),
}


def install() -> None:
    """Make ``import azure.identity`` and ``import azure.identity.aio`` give this package, for the whole process.

    It makes no difference whether azure-identity is installed. Call it before anything else imports azure-identity:
    what was imported from there before remains what it is, and a warning says so. Calling it again changes nothing.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    theirs = [name for name in sys.modules if name == "azure.identity" or name.startswith("azure.identity.")]
    for name in theirs:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder())
    if theirs:
        import warnings

        # `import azure.identity` leaves an attribute on the package.
        __import__("azure.identity.aio")
        warnings.warn(
            "entrada.install() was called after azure.identity was imported; "
            "names taken from it before are still its own",
            UserWarning,
            stacklevel=2,
        )


class _Finder:
    """Finds azure.identity and what is below it, before anybody else does."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _OURS:
            loader: Any = _Loader()
            return ModuleSpec(fullname, loader, origin=f"entrada ({_OURS[fullname]})", is_package=True)
        if fullname.startswith("azure.identity."):
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: entrada takes the place of azure.identity here, "
                "and has azure.identity and azure.identity.aio only",
                name=fullname,
            )
        return None


class _Loader:
    """Makes a module that forwards to ours."""

    def create_module(self, spec: ModuleSpec) -> None:  # noqa: ARG002
        return None

    def exec_module(self, module: ModuleType) -> None:
        ours = __import__(_OURS[module.__name__], fromlist=["__all__"])
        module.__doc__ = ours.__doc__
        names = vars(module)
        theirs = [name for name in ours.__all__ if name not in ADDED[module.__name__]]
        names["__all__"] = theirs
        if module.__name__ == "azure.identity":
            names["__version__"] = SPEAKS_FOR

        def forward(name: str) -> object:
            if name in theirs:
                return getattr(ours, name)
            raise absent(module.__name__, name, sys._getframe(1))

        names["__getattr__"] = forward
        names["__dir__"] = lambda: sorted({*names, *theirs})
