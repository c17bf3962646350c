"""What the constructors of all credentials have in common that ask Microsoft Entra."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._native import Credential

_COMMON = ("authority", "additionally_allowed_tenants", "disable_instance_discovery")


def configure(
    credential: "Credential",
    kind: str,
    kwargs: dict[str, object],
    given: "Mapping[str, object]",
    own: tuple[str, ...] = (),
) -> None:
    """Configure a credential with what is ``given``, and with what it takes of its keyword arguments.

    ``own`` names those that it takes beside the ones that all take. Of the others a warning is given. No secret stays
    behind in ``kwargs`` or in this frame: a traceback keeps the variables of its frames, and some tools print them.
    """
    names = (*own, *_COMMON)
    options = {**given, **{name: kwargs.pop(name, None) for name in names}}
    del given
    try:
        if kwargs:
            from ._options import check

            check(credential, kwargs, names)
        credential._configure(kind, options)
    finally:
        del options
