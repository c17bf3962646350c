"""What the tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts import FACE, Azure, IdentityHost

# What would sign the tests in as somebody, or lead them to somebody.
LEADING = ("AZURE_", "IDENTITY_", "IMDS_", "MSI_", "WEBSITE_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(LEADING) or name.lower() in PROXIES:
            monkeypatch.delenv(name)


@pytest.fixture
def identity_host(monkeypatch: pytest.MonkeyPatch):
    """A host with a managed identity, which this process is on. Its port is new, so nothing is cached for it."""
    host = IdentityHost()
    for name, value in host.variables.items():
        monkeypatch.setenv(name, value)
    yield host
    host.close()


@pytest.fixture
def run(tmp_path: Path):
    """Run a program, given as text, in a Python of its own."""

    def run(program: str, *arguments: str, check: bool = True, options: tuple[str, ...] = (), **variables: str):
        path = tmp_path / "program.py"
        path.write_text(program)
        done = subprocess.run(
            [sys.executable, *options, str(path), *arguments],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture(params=["entrada", "entrada.aio"])
def play(request: pytest.FixtureRequest, run):
    """Run a program in an emulated Azure, once with each face."""

    def play(azure: Azure, program: str, **variables: str):
        return run(FACE + program, request.param, **azure.variables, **variables)

    return play


@pytest.fixture(scope="session")
def azures(tmp_path_factory: pytest.TempPathFactory):
    """The emulated Azures of this run, by host and by what their worlds have beside the built-in one."""
    made: dict[tuple[str, str | None], Azure] = {}

    def azure(host: str, world: str | None = None) -> Azure:
        key = host, world
        if key not in made:
            config = None
            if world is not None:
                config = tmp_path_factory.mktemp("world") / "world.toml"
                config.write_text(world)
            made[key] = Azure(host, config)
        made[key].reset()
        return made[key]

    yield azure
    for one in made.values():
        one.close()
