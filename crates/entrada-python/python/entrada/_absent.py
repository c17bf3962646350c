"""What to say of names that azure-identity has and this version has not."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

NOT_YET = frozenset(
    {
        "AzureDeveloperCliCredential",
        "AzurePowerShellCredential",
        "SharedTokenCacheCredential",
        "VisualStudioCodeCredential",
    }
)


def absent(module: str, name: str, asked_by: "FrameType") -> Exception:
    """Return the exception for a name that a module of ours does not have.

    ``from … import`` replaces an AttributeError by its own words; there it must be an ImportError to be read.
    """
    if name not in NOT_YET:
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    from . import __version__

    message = f"entrada {__version__} does not have {name} yet"
    if asked_by.f_code.co_name == "_handle_fromlist":
        return ImportError(message, name=module)
    return AttributeError(message)
