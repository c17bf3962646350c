"""What the acceptance tests share. Run them with `cargo xtask test real`, which installs the real parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import azurite_server
import pytest
from emulator import PEER_PROGRAMS, Ended, emulate


def _part(variable: str) -> str:
    path = os.environ.get(variable)
    if not path:
        pytest.fail(f"{variable} is not set: run `cargo xtask test real`")
    return path


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite_server.Azurite]:
    with azurite_server.running(_part("ENTRADA_AZURITE"), tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def az() -> Path:
    """The real Azure CLI."""
    return Path(_part("ENTRADA_AZ"))


@pytest.fixture(scope="session")
def azure_identity_js() -> Path:
    """The folder of Node packages with azure-identity for JavaScript."""
    return Path(_part("ENTRADA_AZURE_IDENTITY_JS"))


@pytest.fixture(scope="session")
def chromium() -> dict[str, str]:
    """Where Chromium is, and what drives it, as the variables that `people/person.py` reads."""
    return {name: _part(name) for name in ("ENTRADA_CHROMIUM", "ENTRADA_CHROMEDRIVER")}


@pytest.fixture(scope="session")
def javascript(azure_identity_js: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str | Path]]:
    """The command that runs a JavaScript program of the `peers` folder."""

    def command(program: str) -> list[str | Path]:
        # Node looks for packages beside the program, and above it.
        folder = tmp_path_factory.mktemp("javascript")
        script = folder / program
        script.write_text((PEER_PROGRAMS / program).read_text())
        (folder / "node_modules").symlink_to(azure_identity_js, target_is_directory=True)
        return ["node", script]

    return command


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ended]:
    """Runs a command inside the emulator; see `emulator.emulate`."""

    def run_inside(*command: str | Path, **options: object) -> Ended:
        return emulate(*command, journal=tmp_path / "journal.jsonl", **options)  # type: ignore[arg-type]

    return run_inside
