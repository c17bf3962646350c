"""The first token of an app that has no secret: by certificate, and by somebody else's assertion."""

from __future__ import annotations

import emulator
from processes import run
from report import Report, Row

from parts.first import RAW_SECRET, first_token, program, raw_tls

APP = f"{emulator.TENANT_ID!r}, {emulator.CLIENT_ID!r}"
CERTIFICATE = f"CertificateCredential({APP}, os.environ['ENTRADA_EMULATOR_CERTIFICATE'])"
#: What a program has that runs on Kubernetes: an assertion in a file, which is read for each exchange.
READ = "open(os.environ['AZURE_FEDERATED_TOKEN_FILE']).read()"
WORKLOAD = "os.environ['AZURE_TENANT_ID'], os.environ['AZURE_CLIENT_ID']"
ASSERTION = f"ClientAssertionCredential({WORKLOAD}, lambda: {READ})"
RAW_ASSERTION = raw_tls(
    "{'client_id': os.environ['AZURE_CLIENT_ID'], 'client_assertion': "
    f"{READ}, 'client_assertion_type': 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'}}"
)


def measure(report: Report, rounds: int) -> None:
    """Run programs that get one token and end, and count what they asked Entra."""
    rows = subject("certificate", CERTIFICATE, RAW_SECRET, rounds)
    with emulator.inside("kubernetes"):
        rows += subject("client assertion", ASSERTION, RAW_ASSERTION, rounds)
    report.table(
        "From process start to the first token of a service principal without a secret",
        "azure-identity",
        rows,
        [
            "Over TLS through the emulator's gateway. The certificate has an RSA key of 2,048 bits and is a PEM file; "
            "its floor is a request with a secret, which signs nothing. The assertion is that of a service account of "
            "Kubernetes, read from its file by a function of the program."
        ],
    )


def subject(name: str, made: str, raw: str, rounds: int) -> list[Row]:
    """One way to sign in, in both libraries."""
    asked = []
    for role in ("peer", "ours"):
        emulator.forget()
        run(program(role, made), None)
        asked.append(emulator.requests())
    return [*first_token(name, made, raw, rounds), Row(f"{name}, requests to Entra", "", *asked, 1, "one request")]
