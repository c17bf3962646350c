"""Every example of a way to sign in, in both languages, inside the emulator."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import pytest
from emulator import ORDERS, ROOT, TENANT_ID, rust

ADA = "ada@contoso.onmicrosoft.com"
FOLDERS = {"python": ROOT / "examples/python/sign_in", "rust": ROOT / "examples/rust/sign_in"}
READ = "read database-password"
#: The emulator makes a certificate for each run, so it is known inside only.
CERTIFICATE = ["sh", "-c", 'AZURE_CLIENT_CERTIFICATE_PATH=$ENTRADA_EMULATOR_CERTIFICATE exec "$@"', "sh"]
PASSWORD = {"AZURE_USERNAME": ADA, "AZURE_PASSWORD": "ada~fake.password"}


@dataclass
class Example:
    """Where an example runs, and what comes of it."""

    #: Who is let in by the vault.
    principal: str
    host: str = "laptop"
    #: Who is at the browser.
    person: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    around: list[str] = field(default_factory=list)
    #: How tokens were got, in order.
    grants: tuple[str, ...] = ("client_credentials",)
    says: tuple[str, ...] = (READ,)
    languages: tuple[str, ...] = ("python", "rust")


EXAMPLES = {
    "certificate": Example("orders-ci", around=CERTIFICATE),
    "signer": Example("orders-ci", around=CERTIFICATE),
    "client_assertion": Example("orders-identity", "kubernetes"),
    "managed_identity_for_app": Example("orders-ci", "app-service", grants=("managed_identity", "client_credentials")),
    "workload_identity": Example("orders-identity", "kubernetes"),
    "azure_pipelines": Example("orders-ci", "azure-pipelines"),
    "github_actions": Example(
        "orders-ci",
        "github-actions",
        environment={"AZURE_TENANT_ID": TENANT_ID, "AZURE_CLIENT_ID": "c1000000-0000-4000-8000-000000000001"},
    ),
    "browser": Example(ADA, person=ADA, grants=("authorization_code",)),
    "device_code": Example(ADA, person=ADA, grants=("device_code",), says=("To sign in", READ)),
    "authentication_record": Example(
        ADA, person=ADA, grants=("authorization_code", "refresh_token"), says=(f"signed in: {ADA}", READ)
    ),
    "authorization_code": Example(ADA, person=ADA, grants=("authorization_code",)),
    "username_password": Example(ADA, environment=PASSWORD, grants=("password",)),
    "on_behalf_of": Example(
        ADA,
        environment={**PASSWORD, "API_CLIENT_SECRET": "orders-api~fake.secret"},
        grants=("password", "on_behalf_of"),
    ),
    "given_token": Example("orders-web", "app-service", grants=("managed_identity",), says=(READ, READ, READ)),
    "bearer_token": Example("orders-web", "app-service", grants=("managed_identity",), says=("a header of 4 parts",)),
    "other_tenant": Example("orders-ci", environment=ORDERS),
    "asynchronous": Example(
        ADA, person=ADA, grants=("device_code",), says=("open https://", READ), languages=("python",)
    ),
}


def cases() -> list[object]:
    return [
        pytest.param(name, language, id=f"{name}-{language}")
        for name, example in EXAMPLES.items()
        for language in example.languages
    ]


@pytest.mark.parametrize(("name", "language"), cases())
def test_an_example_signs_in(run, name, language):
    example = EXAMPLES[name]
    program = [sys.executable, "-m", "entrada", FOLDERS["python"] / f"{name}.py"]
    if language == "rust":
        program = [rust(name.replace("_", "-"))]
    ended = run(
        *example.around, *program, host=example.host, person=example.person, environment=example.environment
    ).succeeded()
    lines = [line for line in ended.out.splitlines() if line.strip()]
    assert len(lines) == len(example.says), ended.out
    assert all(line.startswith(says) for line, says in zip(lines, example.says, strict=True)), ended.out
    tokens = [exchange for exchange in ended.token_requests() if exchange["status"] == 200]
    # What comes before: the page where a person signs in, the code of a device.
    tokens = [exchange for exchange in tokens if not exchange["path"].endswith(("/authorize", "/devicecode"))]
    assert tuple(exchange["grant"] for exchange in tokens) == example.grants
    used = {exchange["principal"]["name"] for exchange in ended.at("key-vault", 200)}
    assert used == ({example.principal} if READ in example.says else set())
    ended.says_no_secret()


def test_every_example_is_run():
    for language, folder in FOLDERS.items():
        found = {path.stem for path in folder.iterdir() if path.suffix in (".py", ".rs")} - {"lib"}
        assert found == {name for name, example in EXAMPLES.items() if language in example.languages}
