"""In the place of azure-identity: `python -m entrada` and `entrada.install()`."""

import os
import subprocess
import sys
import zipfile

import pytest

USER = """
import json, sys
import azure.identity
import azure.identity as short
import azure.identity.aio
from azure.identity import DefaultAzureCredential, CredentialUnavailableError
from azure.identity.aio import ManagedIdentityCredential
import entrada, entrada.aio

assert DefaultAzureCredential is entrada.DefaultAzureCredential
assert ManagedIdentityCredential is entrada.aio.ManagedIdentityCredential
assert CredentialUnavailableError is entrada.CredentialUnavailableError
assert azure.identity is short and azure.identity.aio.ManagedIdentityCredential is ManagedIdentityCredential
assert azure.identity.__version__.split(".")[0] == "1"
from azure.identity import *
from azure.identity.aio import ChainedTokenCredential
"""
WHOLE = "print(json.dumps([__name__, __file__, sys.argv, sys.path[0], __spec__ and __spec__.name]))\n"
# Makes azure-identity look as if it were not installed: any other finder that is asked for it fails.
HIDDEN = """
import sys
from importlib.machinery import PathFinder

class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        assert not name.startswith("azure.identity"), name
        return PathFinder.find_spec(name, path, target)

sys.meta_path[:] = [Hidden if finder is PathFinder else finder for finder in sys.meta_path]
"""


def entrada(*arguments, cwd, check=True, stdin=None):
    done = subprocess.run(
        [sys.executable, "-m", "entrada", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, input=stdin
    )
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def program(tmp_path):
    def write(text, name="program.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_a_program_sees_what_it_sees_with_plain_python(program, tmp_path):
    path = program("import json, sys\n" + WHOLE, "folder/program.py")
    relative = os.path.relpath(path, tmp_path)
    plain = subprocess.run([sys.executable, relative, "a", "-b"], cwd=tmp_path, capture_output=True, text=True)
    assert entrada(relative, "a", "-b", cwd=tmp_path).stdout == plain.stdout != ""


def test_a_module_sees_what_it_sees_with_plain_python(program, tmp_path):
    program("", "package/__init__.py")
    program("import json, sys\n" + WHOLE, "package/__main__.py")
    arguments = ["-m", "package", "a", "-b"]
    plain = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert entrada(*arguments, cwd=tmp_path).stdout == plain.stdout != ""


def test_folders_archives_and_standard_input_run(program, tmp_path):
    path = program(USER + "print('good')", "folder/__main__.py")
    archive = tmp_path / "program.pyz"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "__main__.py")
    assert entrada("folder", cwd=tmp_path).stdout == "good\n"
    assert entrada("program.pyz", cwd=tmp_path).stdout == "good\n"
    assert entrada("-", cwd=tmp_path, stdin=USER + "print('good')").stdout == "good\n"


@pytest.mark.parametrize("hidden", ["", HIDDEN])
def test_imports_give_entrada_whether_azure_identity_is_installed_or_not(program, tmp_path, hidden):
    program(hidden + USER)
    entrada("program.py", cwd=tmp_path)


@pytest.mark.parametrize("hidden", ["", HIDDEN])
def test_install_does_the_same(run, hidden):
    run(hidden + "import entrada\nentrada.install()\nentrada.install()\n" + USER)


def test_install_after_an_import_warns_and_replaces(run):
    done = run(
        "import azure.identity, entrada\nfrom azure.identity import DefaultAzureCredential as theirs\n"
        "entrada.install()\nimport azure.identity as again\n"
        "assert azure.identity is again and again.DefaultAzureCredential is entrada.DefaultAzureCredential\n"
        "assert theirs is not entrada.DefaultAzureCredential\n"
    )
    assert "after azure.identity was imported" in done.stderr


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("import azure.identity._internal", "entrada takes the place of azure.identity"),
        ("from azure.identity.broker import X", "entrada takes the place of azure.identity"),
        ("from azure.identity import AzurePowerShellCredential", "does not have AzurePowerShellCredential yet"),
        ("from azure.identity.aio import SharedTokenCacheCredential", "does not have SharedTokenCacheCredential yet"),
        ("from azure.identity import GitHubActionsCredential", "cannot import name 'GitHubActionsCredential'"),
        ("from azure.identity.aio import DeviceCodeCredential", "cannot import name 'DeviceCodeCredential'"),
        ("from azure.identity import Nonsense", "cannot import name 'Nonsense'"),
        ("from azure.identity import AccessToken", "cannot import name 'AccessToken'"),
        ("import azure.identity; azure.identity.install", "has no attribute 'install'"),
    ],
)
def test_what_is_not_there_is_told(program, tmp_path, statement, words):
    program(statement)
    done = entrada("program.py", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "import sys; sys.exit(7)",
        "import sys; sys.exit('words')",
        "def inner():\n    raise RuntimeError('boom')\ninner()",
        "raise KeyboardInterrupt",
        "x = (",
        "import atexit; atexit.register(print, 'bye'); print(__name__)",
        "import sys\nsys.excepthook = lambda *_: print('hooked')\nraise ValueError",
        "import asyncio\nasync def main():\n    raise ValueError('x')\nasyncio.run(main())",
        "from threading import Thread\nThread(target=print, args=('thread',)).start()",
    ],
)
def test_programs_end_as_with_plain_python(program, tmp_path, text):
    program(text)
    plain = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True)
    ours = entrada("program.py", cwd=tmp_path, check=False)
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no program to run"),
        (("-m",), "needs the name of a module"),
        (("--nonsense",), "there is no option --nonsense"),
        (("nowhere.py",), "can't open file"),
    ],
)
def test_bad_command_lines_are_refused(tmp_path, arguments, words):
    done = entrada(*arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert words in done.stderr


def test_help_and_version(tmp_path):
    import entrada as package

    assert "usage" in entrada("--help", cwd=tmp_path).stdout
    assert entrada("--version", cwd=tmp_path).stdout == f"entrada {package.__version__}\n"
