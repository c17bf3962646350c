"""People who sign in with Chromium: at the pages of the emulator, under Microsoft's names, behind its gateway."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from emulator import ROOT, Ended, rust

FOLDER = Path(__file__).with_name("people")
ADA = "ada@contoso.onmicrosoft.com"
EXAMPLES = ROOT / "examples/python/sign_in"
ENTRADA = [sys.executable, "-m", "entrada"]


@pytest.fixture
def sign_in(run, chromium):
    """Runs a program beside a person at Chromium."""

    def sign_in_with(way: str, *command: str | Path, user: str = ADA, options: tuple[str, ...] = ()) -> Ended:
        password = "ada~fake.password" if user == ADA else "users~fake.password"
        person = [sys.executable, FOLDER / "person.py", "--user", user, "--password", password, *options, way, "--"]
        return run(*person, *command, environment=chromium)

    return sign_in_with


@pytest.mark.parametrize("name", ["browser", "device_code"])
def test_a_person_signs_in_to_a_python_program(sign_in, name):
    ended = sign_in("device" if name == "device_code" else "browser", *ENTRADA, EXAMPLES / f"{name}.py").succeeded()
    assert ended.out.splitlines()[-1] == "read database-password"
    assert {exchange["principal"]["name"] for exchange in ended.at("key-vault", 200)} == {ADA}
    ended.says_no_secret()


@pytest.mark.parametrize("name", ["browser", "device-code"])
def test_a_person_signs_in_to_a_rust_program(sign_in, name):
    ended = sign_in("device" if name == "device-code" else "browser", rust(name)).succeeded()
    assert ended.out.splitlines()[-1] == "read database-password"
    assert {exchange["principal"]["name"] for exchange in ended.at("key-vault", 200)} == {ADA}
    ended.says_no_secret()


def test_one_sign_in_serves_all_resources(sign_in):
    ended = sign_in("browser", *ENTRADA, FOLDER / "browser.py").succeeded()
    assert ended.out.splitlines() == ["database-password", "True"]
    assert "pages opened: 1;" in ended.err
    assert "You can close this" in ended.err or "Return to" in ended.err, ended.err


def test_azure_identity_signs_the_same_person_in(sign_in):
    ended = sign_in("browser", sys.executable, FOLDER / "browser.py").succeeded()
    assert ended.out.splitlines() == ["database-password", "True"]
    # It keeps tokens for CAE apart to the point of asking the person again.
    assert "pages opened: 2;" in ended.err


def test_a_second_factor_is_asked_for_at_the_page(sign_in):
    ended = sign_in("browser", *ENTRADA, EXAMPLES / "browser.py", user="needs-mfa@contoso.onmicrosoft.com")
    # The person is let in by Entra, and has no role at the vault.
    assert "Forbidden" in ended.out or "403" in ended.out, ended.out
    assert "AADSTS" not in ended.out


@pytest.mark.parametrize(
    ("user", "code"),
    [("blocked@contoso.onmicrosoft.com", "AADSTS53003"), ("disabled@contoso.onmicrosoft.com", "AADSTS50057")],
)
def test_whoever_is_refused_reads_why(sign_in, user, code):
    ended = sign_in("browser", *ENTRADA, FOLDER / "impatient.py", user=user)
    assert code.removeprefix("AADSTS") in ended.err, ended.err


def test_whoever_declines_is_told_so_and_nothing_hangs(sign_in):
    ended = sign_in("browser", *ENTRADA, FOLDER / "declined.py", options=("--decline",))
    assert "access_denied" in ended.out or "declined" in ended.out, ended.out


def test_a_device_code_that_is_declined_is_told_so(sign_in):
    ended = sign_in("device", *ENTRADA, FOLDER / "declined_device.py", options=("--decline",))
    assert "declined" in ended.out, ended.out
