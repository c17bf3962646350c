"""Tokens that somebody else got."""

import asyncio
import base64
import json
import os
import pickle
import sys
import time

import entrada
import entrada.aio
import pytest
from azure.core.exceptions import ClientAuthenticationError

from hosts import SCOPE

BOTH = pytest.mark.parametrize("module", [entrada, entrada.aio])


def jwt(lifetime=3600, **claims):
    """Make a JWT that nobody has signed."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return ".".join([part({"alg": "none"}), part({"exp": int(time.time()) + lifetime, **claims}), "hunter2"])


def ask(credential, *scopes, **options):
    outcome = credential.get_token(*(scopes or (SCOPE,)), **options)
    return asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome


@BOTH
def test_a_fixed_token(module):
    token = jwt()
    credential = module.StaticTokenCredential(token)
    assert ask(credential).token == token
    assert ask(credential, "https://other/.default").token == token
    assert ask(pickle.loads(pickle.dumps(credential))).token == token
    opaque = module.StaticTokenCredential("opaque", expires_on=int(time.time()) + 60)
    assert ask(opaque).token == "opaque"


@BOTH
@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("",), {}, "no token"),
        (("Bearer hunter2",), {}, "no token"),
        (("hunter2",), {}, "expires_on"),
    ],
)
def test_what_cannot_be_a_token_is_a_value_error(module, arguments, options, words):
    with pytest.raises(ValueError, match=words) as caught:
        module.StaticTokenCredential(*arguments, **options)
    frame = caught.value.__traceback__.tb_next
    while frame is not None:
        assert "hunter2" not in repr(frame.tb_frame.f_locals)
        frame = frame.tb_next


@BOTH
def test_a_token_that_has_expired_is_told_with_the_date(module):
    with pytest.raises(ClientAuthenticationError, match=r"expired.*20\d\d-") as caught:
        ask(module.StaticTokenCredential(jwt(-60)))
    assert "hunter2" not in str(caught.value)
    with pytest.raises(TypeError, match="expires_on is an int"):
        module.StaticTokenCredential("opaque", expires_on="tomorrow")


@BOTH
def test_a_file_is_read_again_when_it_has_changed(module, tmp_path):
    path = tmp_path / "token"
    credential = module.TokenFileCredential(path)
    with pytest.raises(ClientAuthenticationError, match=str(path)):
        ask(credential)
    first, second = jwt(), jwt(jti="a longer one")
    path.write_text(first)
    assert ask(credential).token == first
    path.write_text(second)
    assert ask(credential).token == second


@BOTH
def test_a_program(module, tmp_path):
    token = jwt()
    program = "import json, sys; print(json.dumps({'accessToken': sys.argv[1], 'expires_in': 3600, 'x': sys.argv[2]}))"
    credential = module.CommandCredential(sys.executable, "-c", program, token, "{resource}", timeout=20)
    assert ask(credential).token == token
    # Shared by those that are constructed alike; what it would print now does not matter.
    assert ask(pickle.loads(pickle.dumps(credential))).token == token
    fails = module.CommandCredential(sys.executable, "-c", "raise SystemExit('sorry')")
    with pytest.raises(ClientAuthenticationError, match="sorry"):
        ask(fails)
    with pytest.raises(ValueError, match="scope"):
        ask(credential, "--version; rm")


@BOTH
def test_a_program_is_named_by_an_absolute_path_or_found_on_the_path(module, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="path"):
        module.CommandCredential("./token")
    with pytest.raises(ValueError, match="timeout"):
        module.CommandCredential("/bin/true", timeout=-1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".{os.pathsep}{tmp_path}/nowhere")
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho x\n")
    tool.chmod(0o755)
    with pytest.raises(ClientAuthenticationError, match="tool"):
        ask(module.CommandCredential("tool"))
