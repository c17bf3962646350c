"""Programs inside `entrada emulate`, and the journal of what they did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).resolve().parent / "programs"
PEER_PROGRAMS = Path(__file__).resolve().parent / "peers"
ENTRADA = os.environ.get("ENTRADA_COMMAND", str(ROOT / "target/debug/entrada"))

# Who is who in the built-in world.
TENANT_ID = "7e000000-0000-4000-8000-000000000001"
ORDERS = {
    "AZURE_TENANT_ID": TENANT_ID,
    "AZURE_CLIENT_ID": "c1000000-0000-4000-8000-000000000001",
    "AZURE_CLIENT_SECRET": "orders-ci~fake.secret",
}
NEWCOMER = {
    "AZURE_TENANT_ID": TENANT_ID,
    "AZURE_CLIENT_ID": "c1000000-0000-4000-8000-000000000002",
    "AZURE_CLIENT_SECRET": "newcomer~fake.secret",
}
USER_ASSIGNED_CLIENT_ID = "c1000000-0000-4000-8000-000000000005"
ADA = "ada@contoso.onmicrosoft.com"
ADA_PASSWORD = "ada~fake.password"
SECRETS = ("orders-ci~fake.secret", "newcomer~fake.secret", ADA_PASSWORD, "eyJ")

# Long enough for the retries of every client, short enough to end a run that hangs.
LIMIT_SECONDS = 240


@dataclass
class Ended:
    """What came of a program."""

    code: int
    out: str
    err: str
    journal: list[dict[str, Any]] = field(repr=False)

    def succeeded(self) -> Ended:
        assert self.code == 0, f"status {self.code}\n{self.out}\n{self.err}"
        return self

    def token_requests(self) -> list[dict[str, Any]]:
        return [exchange for exchange in self.journal if exchange["grant"] is not None]

    def at(self, service: str, *statuses: int) -> list[dict[str, Any]]:
        return [
            exchange
            for exchange in self.journal
            if exchange["service"] == service and (not statuses or exchange["status"] in statuses)
        ]

    def says_no_secret(self) -> None:
        for secret in SECRETS:
            assert secret not in self.out + self.err, "a secret or a token was printed"
            assert secret not in json.dumps(self.journal), "a secret or a token is in the journal"


def emulate(
    *command: str | Path,
    journal: Path,
    host: str = "laptop",
    config: Path | None = None,
    person: str | None = None,
    environment: dict[str, str] | None = None,
) -> Ended:
    """Run a command inside the emulator; `person` signs in wherever somebody has to."""
    arguments = [ENTRADA, "emulate", "--quiet", "--host", host, "--journal", str(journal)]
    if config is not None:
        arguments += ["--config", str(config)]
    if person is not None:
        arguments += ["--sign-in-as", person]
    # A developer may be signed in to the real Azure by variables.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZURE_")}
    done = subprocess.run(
        [*arguments, "--", *map(str, command)],
        env={**clean, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    lines = journal.read_text().splitlines() if journal.exists() else []
    return Ended(done.returncode, done.stdout, done.stderr, [json.loads(line) for line in lines])


def unmodified(program: str) -> list[str | Path]:
    """The command that runs a program of the `programs` folder with entrada in azure-identity's place."""
    return [sys.executable, "-m", "entrada", PROGRAMS / program]


def rust(program: str) -> Path:
    """A Rust example."""
    return Path(os.environ.get("ENTRADA_EXAMPLES", ROOT / "target/debug")) / program
