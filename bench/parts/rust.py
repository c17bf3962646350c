"""Cached calls in Rust, beside azure_identity: one thread and many, one key and many, and memory."""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

from report import Report, Row

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "rust"
TARGET = FOLDER.parents[1] / "target" / "bench"
PROGRAM = TARGET / "release" / "entrada-bench"


def build() -> None:
    """Build the Rust program and the floor for Python, outside the emulator: cargo needs the real network."""
    cargo = os.environ.get("CARGO") or shutil.which("cargo")
    if cargo is None:
        raise SystemExit("cargo is not on PATH; install Rust from https://rustup.rs")
    build = [cargo, "build", "--quiet", "--release", "--workspace", "--target-dir", TARGET]
    subprocess.run(build, cwd=FOLDER, check=True)
    # Under the name by which Python imports it.
    made = "libentrada_floor.dylib" if sys.platform == "darwin" else "libentrada_floor.so"
    shutil.copyfile(TARGET / "release" / made, TARGET / "entrada_floor.abi3.so")


def measure(report: Report, _rounds: int) -> None:
    """Run `bench/rust`."""
    seen = ask()
    floor = seen["floor: clone the token, read the clock"]
    rows = [
        Row(
            name,
            "ns",
            seen[f"azure_identity: {name}"],
            seen[f"entrada: {name}"],
            floor,
            "clone the token, read the clock",
            1 / 2,
        )
        for name in ("managed identity", "client secret")
    ]
    report.table("A cached `get_token` in Rust, through azure_core's trait", "azure_identity", rows)
    many = [
        (f"{int(keys):,} key{'s' * (keys != '1')}, {threads} thread{'s' * (threads > 1)}", threads, times[str(threads)])
        for keys, times in seen["keys"].items()
        for threads in (1, 8, 64)
    ]
    rows = [
        Row(
            what,
            "ns",
            *(times[name] * threads for name in ("azure_identity", "entrada", "floor")),
            "clone the same text out of an array",
        )
        for what, threads, times in many
    ]
    rows += [
        Row(f"{what}: calls in all", "1/s", 1e9 / times["azure_identity"], 1e9 / times["entrada"])
        for what, threads, times in many
        if threads > 1
    ]
    memory = seen["keys"]["100000"]["bytes"]
    rows.append(Row("memory of a token, one of 100,000", "bytes", memory["azure_identity"], memory["entrada"]))
    note = (
        "A client secret and tokens of 1,400 characters for so many scopes, asked for in random order. entrada's limit "
        "of 100,000 tokens is raised for this; memory is what the process grew by."
    )
    report.table("Many threads and many tokens in Rust", "azure_identity", rows, [note])
    users(report)


def ask(*arguments: str) -> dict[str, Any]:
    """What `bench/rust` prints."""
    return json.loads(subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout)


def users(report: Report) -> None:
    """On behalf of many users, which azure_identity cannot do."""
    none = math.nan
    # A process for each number: memory that something else has given back would hide what is taken.
    many = [(f"{count:,} users", ask(str(count))) for count in (10, 1_000, 10_000, 100_000)]
    rows = [
        *(
            Row(
                f"a hit, {count}, {threads} thread{'s' * (threads != '1')}",
                "ns",
                none,
                *(times[name] * int(threads) for name in ("entrada", "floor")),
                "copy the assertion",
            )
            for threads in ("1", "8", "64")
            for count, figures in many
            for times in [figures["hit"][threads]]
        ),
        *(Row(f"a new user, {count}", "µs", none, figures["insert"] / 1e3) for count, figures in many),
        *(Row(f"memory of a user, {count}", "bytes", none, figures["bytes"]) for count, figures in many),
    ]
    note = (
        "One `OnBehalfOfCredential`, an assertion of 1,200 characters for each user; tokens of 1,400 and refresh "
        "tokens of 1,000 from a server within the process. azure_identity for Rust has no such credential."
    )
    report.table("On behalf of many users in Rust", "azure_identity", rows, [note])
