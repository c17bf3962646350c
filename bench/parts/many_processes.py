"""Many processes that start together and want the same token of a managed identity."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import emulator
from processes import medians
from report import Report, Row

PROCESSES = 64
THREADS = 16

#: The start signal is the end of a pipe that all of them read.
PROGRAM = f"""
import json, sys, threading, time
library, options, scope = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
exec(f"from {{library}} import ManagedIdentityCredential")
failures = []
def ask():
    try:
        ManagedIdentityCredential(**options).get_token(scope)
    except Exception as error:
        failures.append(str(error))
threads = [threading.Thread(target=ask) for _ in range({THREADS})]
print("ready", flush=True)
sys.stdin.read()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([time.monotonic(), len(failures)]))
"""

SUBJECTS = {
    "azure-identity": ("azure.identity", {}),
    "entrada": ("entrada", {}),
    "entrada, shared": ("entrada", {"share_between_processes": True}),
}


def measure(report: Report, rounds: int) -> None:
    """Count on two hosts: one that takes five requests at once and twenty a second, and one without limits."""
    rows = []
    for host in ("virtual machine", "App Service"):
        seen: dict[str, list[list[float]]] = {name: [] for name in SUBJECTS}
        with emulator.inside(host.lower().replace(" ", "-")):
            os.environ.pop("REGION_NAME", None)
            for _ in range(max(rounds // 10, 1)):
                for name, (library, options) in SUBJECTS.items():
                    with cold():
                        seen[name].append(start_together(library, options))
        peer, ours, shared = (medians(outcomes) for outcomes in seen.values())
        for index, (what, unit) in enumerate(
            (("requests", ""), ("of them answered 429", ""), ("until the last has its token", "ms"), ("failed", ""))
        ):
            rows += [
                Row(f"{host}: {what}", unit, peer[index], ours[index]),
                Row(f"{host}, shared: {what}", unit, peer[index], shared[index]),
            ]
    report.table(
        f"{PROCESSES} processes start together",
        "azure-identity",
        rows,
        [
            f"Each has imported the library; then each of its {THREADS} threads asks a new `ManagedIdentityCredential` "
            "for the same scope. *Shared* is with `share_between_processes=True`. *Failed* are the processes in which "
            "a thread got no token; the time lasts until they gave up. The virtual machine's metadata service takes "
            "five requests at a time and twenty in a second, App Service's endpoint any number."
        ],
    )


def start_together(library: str, options: dict[str, object]) -> list[float]:
    """One round: requests, those that were throttled, milliseconds until the last is done, processes that failed."""
    emulator.forget()
    command = [sys.executable, "-c", PROGRAM, library, json.dumps(options), emulator.SCOPE]
    signal, start = os.pipe()
    pipes = {"stdin": signal, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    children = [subprocess.Popen(command, text=True, **pipes) for _ in range(PROCESSES)]
    try:
        for child in children:
            if child.stdout.readline() != "ready\n":
                raise SystemExit(f"a program that is measured did not start:\n{PROGRAM}")
        started = time.monotonic()
        os.close(start)
        outcomes = [json.loads(child.communicate()[0]) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
        os.close(signal)
    last = max(ended for ended, _ in outcomes)
    failed = sum(failures > 0 for _, failures in outcomes)
    return [emulator.requests(), emulator.requests(429), (last - started) * 1e3, failed]


@contextmanager
def cold() -> Iterator[None]:
    """Remove the slots that processes share afterwards; those that were there before are somebody else's."""
    folder = pathlib.Path(f"/dev/shm/entrada-{os.geteuid()}")
    before = set(folder.glob("*"))
    try:
        yield
    finally:
        for slot in {*folder.glob("*")} - before:
            slot.unlink(missing_ok=True)
