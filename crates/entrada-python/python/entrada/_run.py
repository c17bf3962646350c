"""Running a program as ``python`` would, after :func:`entrada.install`."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

USAGE = """\
usage: python -m entrada PROGRAM [ARGS…]
       python -m entrada -m MODULE [ARGS…]

Runs a Python program that imports azure.identity, with entrada in its place; azure-identity need not be installed.
PROGRAM is a file, a folder or a zip file with a __main__.py, or - for standard input.

  -m MODULE   run a module, as `python -m MODULE` does
  --version   print the version
  --help      print this text
"""


def main() -> None:
    """Run what the command line names, in the module ``__main__``."""
    arguments = sys.argv[1:]
    first = arguments[0] if arguments else None
    if first in ("-h", "--help"):
        sys.stdout.write(USAGE)
    elif first in ("-V", "--version"):
        from . import __version__

        sys.stdout.write(f"entrada {__version__}\n")
    elif first == "-m" and len(arguments) > 1:
        sys.argv[:] = arguments[1:]
        _run(lambda: _run_as_main(arguments[1], alter_argv=True))
    elif first is not None and (first == "-" or not first.startswith("-")):
        sys.argv[:] = arguments
        _run(lambda: _run_program(first))
    else:
        problem = "no program to run" if first is None else f"{first} needs the name of a module"
        if first is not None and first != "-m":
            problem = f"there is no option {first}"
        sys.stderr.write(f"python -m entrada: {problem}\n{USAGE}")
        sys.exit(2)


def _run(program: Callable[[], None]) -> None:
    from ._install import install

    install()
    try:
        program()
    except SystemExit:
        raise
    except BaseException:
        # Python prints the traceback, and decides on the exit code, as ever; only our own frames are left out.
        _hide_our_frames()
        raise


def _run_as_main(module: str, *, alter_argv: bool) -> None:
    """Do what ``python -m`` does; the public functions of runpy put another module in the place of ``__main__``."""
    import runpy

    run: Callable[..., object] = getattr(runpy, "_run_module_as_main")  # noqa: B009 -- it is not in runpy's stub
    run(module, alter_argv=alter_argv)


def _run_program(path: str) -> None:
    if (path != "-" and os.path.isdir(path)) or _is_archive(path):
        _set_first_path(os.path.abspath(path), needed=True)
        _run_as_main("__main__", alter_argv=False)
        return
    if path == "-":
        code, file = compile(sys.stdin.read(), "<stdin>", "exec", dont_inherit=True), None
        _set_first_path("")
    else:
        file = os.path.abspath(path)
        try:
            with open(file, "rb") as source:
                text = source.read()
        except OSError as error:
            sys.stderr.write(f"python -m entrada: can't open file {file!r}: [Errno {error.errno}] {error.strerror}\n")
            sys.exit(2)
        _set_first_path(os.path.dirname(os.path.realpath(path)))
        code = compile(text, file, "exec", dont_inherit=True)
    main = sys.modules["__main__"]
    names = vars(main)
    builtins = names["__builtins__"]
    names.clear()
    names.update(__name__="__main__", __builtins__=builtins, __doc__=None, __package__=None, __spec__=None)
    names.update(__loader__=None, __annotations__={})
    if file is not None:
        from importlib.machinery import SourceFileLoader

        names.update(__file__=file, __cached__=None, __loader__=SourceFileLoader("__main__", file))
    exec(code, names)


def _is_archive(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        begins = file.read(2)
    if begins == b"PK":
        return True
    from zipfile import is_zipfile

    return not path.endswith((".py", ".pyw")) and is_zipfile(path)


def _set_first_path(path: str, *, needed: bool = False) -> None:
    """Put the program's folder where `python -m` has put the current one, unless Python was told to put none there."""
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path[0] = path
    elif needed:
        sys.path.insert(0, path)


def _hide_our_frames() -> None:
    inner = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        last = traceback
        while traceback is not None:
            if traceback.tb_frame.f_globals.get("__name__") == __name__:
                last = traceback.tb_next
            traceback = traceback.tb_next
        error.__traceback__ = _without_runpy(last)
        inner(kind, error, error.__traceback__)

    sys.excepthook = hook


def _without_runpy(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__") == "runpy":
        traceback = traceback.tb_next
    return traceback
