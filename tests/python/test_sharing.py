"""Many processes of one user, and the managed identity's tokens that they share if they are asked to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts import SCOPE

PROGRAM = f"""
import sys
import entrada
credential = entrada.ManagedIdentityCredential(share_between_processes=sys.argv[1] == "shared", timeout=20)
print("ready", flush=True)
sys.stdin.readline()
print(credential.get_token({SCOPE!r}).token)
"""
MEMORY = Path(f"/dev/shm/entrada-{os.getuid()}")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has folders in memory")


@pytest.fixture(autouse=True)
def _leave_no_slots():
    """Each test's host is a new one, whose slots nobody would ever read again."""
    before = set(MEMORY.glob("*"))
    yield
    for slot in set(MEMORY.glob("*")) - before:
        slot.unlink(missing_ok=True)


def start_together(kind: str, count: int) -> list[subprocess.Popen]:
    """Start processes, and let them ask at the same moment."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    return workers


def answers(workers: list[subprocess.Popen]) -> set[str]:
    """What the processes print, each exactly once."""
    return {worker.communicate(timeout=60)[0].strip() for worker in workers}


def test_of_many_processes_that_start_together_one_asks(identity_host):
    identity_host.open.clear()
    workers = start_together("shared", 16)
    identity_host.open.set()
    assert answers(workers) == {"token-1"}
    assert len(identity_host.requests) == 1
    # Those that start later find it too.
    assert answers(start_together("shared", 1)) == {"token-1"}
    assert len(identity_host.requests) == 1


def test_without_being_asked_to_nothing_is_shared(identity_host):
    before = set(MEMORY.glob("*"))
    answers(start_together("alone", 3))
    assert len(identity_host.requests) == 3
    assert set(MEMORY.glob("*")) == before


def test_what_is_shared_is_sealed_and_private(identity_host):
    before = set(MEMORY.glob("*"))
    assert answers(start_together("shared", 1)) == {"token-1"}
    made = set(MEMORY.glob("*")) - before
    assert made
    assert MEMORY.stat().st_mode & 0o777 == 0o700
    for path in made:
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"token-1" not in path.read_bytes()
        assert b"a-header" not in path.read_bytes()


def test_processes_that_were_told_another_secret_share_nothing(identity_host, monkeypatch):
    assert answers(start_together("shared", 1)) == {"token-1"}
    monkeypatch.setenv("IDENTITY_HEADER", "rotated")
    assert answers(start_together("shared", 1)) == {"token-2"}
