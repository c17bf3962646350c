"""What the README and the documents show, run: Python programs and console sessions; Rust code is an example's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from emulator import ENTRADA, ORDERS, ROOT

BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [(found["kind"], found["text"]) for page in PAGES for found in BLOCK.finditer(page.read_text())]


def blocks(kind: str) -> list[str]:
    found = [text for other, text in BLOCKS if other == kind]
    assert found, f"no page has a {kind} block"
    return found


def lines(text: str) -> list[str]:
    return [line.strip() for line in textwrap.dedent(text).splitlines() if line.strip()]


@pytest.mark.parametrize("program", blocks("python"))
def test_python_code_runs(run, tmp_path, program):
    path = tmp_path / "program.py"
    path.write_text(program)
    ended = run(sys.executable, path, environment=ORDERS).succeeded()
    assert ended.err == ""


@pytest.mark.parametrize("code", blocks("rust"))
def test_rust_code_is_part_of_an_example(code):
    wanted = lines(code)
    for example in (ROOT / "examples/rust").glob("*.rs"):
        have = lines(example.read_text())
        if any(have[at : at + len(wanted)] == wanted for at in range(len(have))):
            return
    pytest.fail(f"no example has this:\n{code}")


@pytest.mark.parametrize("session", blocks("console"))
def test_a_console_session_goes_as_shown(session):
    command, *shown = session.splitlines()
    assert command.startswith("$ ")
    words = shlex.split(command.removeprefix("$ "))
    places = {"entrada": ENTRADA, "python": sys.executable}
    done = subprocess.run(
        [places.get(word, word) if words[at - 1] != "-m" else word for at, word in enumerate(words)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("AZURE_")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).splitlines() == shown


def test_every_file_the_readme_names_exists():
    text = (ROOT / "README.md").read_text()
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    named = re.findall(r"\b(?:examples|crates|tests)/[\w./-]+\.\w+", text)
    missing = [name for name in [*linked, *named] if not Path(ROOT, name).exists()]
    assert not missing
