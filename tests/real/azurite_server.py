"""A real Azurite for a test session: TLS with a certificate of its own, tokens asked for, nothing kept."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ACCOUNT = "contosostore"
START_SECONDS = 60


@dataclass
class Azurite:
    """Where it is, and the configuration that puts it behind the gateway."""

    url: str
    certificate: Path
    config: Path


@contextmanager
def running(program: str, folder: Path) -> Iterator[Azurite]:
    """Start Azurite for one account; stop it at the end."""
    certificate, key = folder / "azurite.pem", folder / "azurite.key"
    _write_certificate(certificate, key)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "azurite.log"
    account_key = base64.b64encode(b"only Shared Key would use this!!").decode()
    arguments = ["--oauth", "basic", "--cert", certificate, "--key", key]
    arguments += ["--blobHost", "127.0.0.1", "--blobPort", port, "--skipApiVersionCheck", "--disableTelemetry"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [f"{program}-blob", "--inMemoryPersistence", *map(str, arguments)],
            env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{account_key}"},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_listening(server, port, log)
        config = folder / "azurite.toml"
        config.write_text(f'[blob]\nupstream = "https://127.0.0.1:{port}"\nca_file = "{certificate}"\n')
        yield Azurite(f"https://127.0.0.1:{port}/{ACCOUNT}", certificate, config)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_until_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, f"Azurite ended with {server.returncode}:\n{log.read_text()}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"Azurite did not listen within {START_SECONDS} s:\n{log.read_text()}")


def _write_certificate(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Azurite of a test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
