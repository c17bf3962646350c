"""Plays the protocol cases of `tests/cases` through Python, sync and async, as the Rust tests do through Rust.

Each runs in a process of its own, on the machine that the case describes. Whatever comes, no secret may show up in what
was logged or said.
"""

import base64
import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hosts import ROOT, SCOPE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Object ids of the identities that hosts give to those who name none.
OWN = {
    "virtual-machine": 4,
    "container-instance": 24,
    "app-service": 3,
    "app-service-legacy": 3,
    "container-app": 20,
    "service-fabric": 21,
    "azure-arc": 22,
    "azure-ml": 5,
    "cloud-shell": 7,
    "kubernetes": 5,
    "kubernetes-identity-binding": 5,
}
#: The emulated agent writes its keys where the real one does, which takes root.
ARC = Path("/var/opt/azcmagent/tokens")


def played():
    """Each case with each face; a case for many hosts on one host with the one face, on another with the other.

    Rust plays it on all of them: what differs between hosts is the core's, and what Python adds is the same for all.
    """
    folder = ROOT / "tests/cases"
    for number, path in enumerate(sorted(folder.rglob("*.toml"))):
        name, case = str(path.relative_to(folder).with_suffix("")), tomllib.loads(path.read_text())
        hosts = [case.get("host", "laptop")]
        if "hosts" in case:
            everywhere = list(OWN) if case["hosts"] == ["*"] else case["hosts"]
            hosts = [host for host in everywhere if host not in case.get("except", [])]
        for turn, face in enumerate(("entrada", "entrada.aio")):
            host = hosts[(2 * number + turn) % len(hosts)]
            yield pytest.param(case, host, face, id=f"{name}@{host}-{face}")


#: Variables that hold secrets.
SECRET_VARIABLES = (
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SECRET",
    "AZURE_PASSWORD",
    "IDENTITY_HEADER",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
)
#: Arguments that do.
SECRET_OPTIONS = (
    "authorization_code",
    "client_secret",
    "code_verifier",
    "password",
    "system_access_token",
    "token",
    "user_assertion",
)


@pytest.mark.parametrize(("case", "host", "face"), list(played()))
def test_case(case, host, face, azures, tmp_path):
    if host == "azure-arc" and os.geteuid() != 0:
        pytest.skip(f"the keys of Azure Arc are in {ARC}, where only root may write")
    azure = azures(host, case.get("world"))
    known = names(azure, tmp_path)
    issued = {name: made(azure, wish) for name, wish in case.get("issue", {}).items()}
    case = filled(case, {**known, **issued})
    if "sign_in_as" in case:
        azure.control("PUT", "/sign-in", {"user": case["sign_in_as"]})
    azure.control("DELETE", "/journal")
    faults = copy.deepcopy(case.get("fault", []))
    for fault in faults:
        # On Kubernetes it is Entra itself that hands out the tokens.
        if host.startswith("kubernetes") and fault.get("match", {}).get("service") == "managed-identity":
            fault["match"]["service"] = "entra"
    azure.control("PUT", "/faults", faults)
    write_files(case.get("files", {}), tmp_path)
    variables = {**os.environ, **azure.variables}
    if "sign_in_as" in case:
        variables["BROWSER"] = azure.variables["ENTRADA_EMULATOR_BROWSER"]
    variables.update(case.get("environment", {}))
    options = case.get("options", {})
    asked = {
        "credential": case["credential"],
        "options": options,
        "scopes": case.get("scopes", [SCOPE]),
        "request": case.get("request", {}),
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("case_program.py")), face],
        input=json.dumps(asked),
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)

    expect = case["expect"].get("on", {}).get(host, case["expect"])
    check(outcome, expect, host)
    if "requests" in expect:
        assert len(azure.identity_requests()) == expect["requests"]
    certificates = [Path(options[name]) for name in ("certificate_path", "path") if name in options]
    texts = [path.read_bytes().decode(errors="replace") for path in certificates if path.is_file()]
    texts += [options[name] for name in ("certificate_data", "client_certificate") if name in options]
    secrets = {
        *(variables.get(name) for name in SECRET_VARIABLES),
        # A macro that nobody has replaced is no secret: errors name it.
        *(options[name] for name in SECRET_OPTIONS if not options.get(name, "$(").startswith("$(")),
        *(line for text in texts for line in key_lines(text)),
        *issued.values(),
        *case.get("secrets", []),
        outcome.get("token"),
    }
    said = done.stderr + outcome["said"] + outcome.get("text", "")
    for secret in filter(None, secrets):
        assert secret not in said, "a secret shows"
    # Codes and refresh tokens of the emulator, which nobody was told.
    assert not re.search(r"1\.[\w-]{61}", said), "a code or refresh token shows"


def names(azure, folder):
    """Return what stands for the names in a case's file."""
    variables = azure.variables
    text = Path(variables["ENTRADA_EMULATOR_CERTIFICATE"]).read_text()
    begin = text.index("-----BEGIN CERTIFICATE")
    return {
        "case": str(folder),
        "certificate": variables["ENTRADA_EMULATOR_CERTIFICATE"],
        "certificate.encrypted": variables["ENTRADA_EMULATOR_CERTIFICATE_ENCRYPTED"],
        "certificate.pfx": variables["ENTRADA_EMULATOR_CERTIFICATE_PFX"],
        "certificate.password": variables["ENTRADA_EMULATOR_CERTIFICATE_PASSWORD"],
        "certificate.text": text,
        "certificate.key": text[:begin],
        "certificate.public": text[begin:],
        **{
            name: variables[name]
            for name in ("SYSTEM_ACCESSTOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
            if name in variables
        },
    }


def filled(value, known):
    """Put what is known in the place of the names that stand for it."""
    if isinstance(value, str):
        for name, content in known.items():
            value = value.replace("${" + name + "}", content)
        return value
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if isinstance(value, dict):
        return {name: filled(each, known) for name, each in value.items()}
    return value


def made(azure, wish):
    """Make what a case needs: an assertion, a token, or an authorization code."""
    ((kind, wish),) = wish.items()
    if kind == "assertion":
        return azure.control("POST", "/assertions", wish)["assertion"]
    if kind == "user_token":
        return azure.control("POST", "/user-tokens", wish)["tokens"][0]
    if kind == "app_token":
        return azure.token({"grant_type": "client_credentials", **wish})["access_token"]
    app = {name: wish[name] for name in ("client_id", "redirect_uri")}
    azure.control("PUT", "/sign-in", {"user": wish["user"]})
    challenge = {"code_challenge": wish.get("code_challenge"), "code_challenge_method": "S256"}
    code = azure.authorize(
        {
            "response_type": "code",
            "response_mode": "query",
            "scope": f"openid offline_access {SCOPE}",
            **app,
            **(challenge if "code_challenge" in wish else {}),
        }
    )["code"]
    azure.control("DELETE", "/sign-in")
    if "redeemed_with" in wish:
        proof = {"client_secret": wish["redeemed_with"], "code": code, "scope": SCOPE}
        azure.token({"grant_type": "authorization_code", **app, **proof})
    return code


def key_lines(text):
    """Return the lines of a private key in PEM: none of them may show."""
    _, _, rest = text.partition("PRIVATE KEY-----")
    return [line for line in rest.split("-----")[0].splitlines() if len(line) > 20]


def write_files(files, folder):
    """Write a case's files; those in `bin` can be run."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if name.startswith("bin/"):
            path.chmod(0o755)


def check(outcome, expect, host):
    """Compare what came with what must come."""
    if "error" in expect:
        assert "token" not in outcome, "a token, where an error was expected"
        expected = expect["error"]
        # A chain that found nobody is a failure to its caller, as azure-identity has it.
        is_chain = "Attempted credentials:" in outcome["text"]
        wanted = "failed" if is_chain and expected["outcome"] == "unavailable" else expected["outcome"]
        assert outcome["outcome"] == wanted, outcome["text"]
        if "condition" in expected and not is_chain:
            assert outcome["condition"] == expected["condition"], outcome["text"]
        for words in expected.get("contains", []):
            assert words in outcome["text"]
        for words in expected.get("lacks", []):
            assert words not in outcome["text"]
        if "claims" in expected:
            assert expected["claims"] in (outcome["claims"] or "")
        return
    expected = expect["token"]
    assert "token" in outcome, outcome.get("text")
    if "text" in expected:
        assert outcome["token"] == expected["text"]
        return
    payload = outcome["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    principal = expected.get("principal")
    if "identity" in expected:
        number = OWN[host] if expected["identity"] == "own" else 5
        principal = f"0b000000-0000-4000-8000-{number:012}"
    for claim, value in (("oid", principal), ("aud", expected.get("audience"))):
        assert value in (None, claims.get(claim))
    for claim, value in expected.get("claims", {}).items():
        assert claims.get(claim) == value, claim
    # Never later than the token's own end; earlier by what the answer took.
    assert claims["exp"] - 5 <= outcome["expires_on"] <= claims["exp"]
