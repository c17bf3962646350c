"""A call that is answered from the cache."""

from __future__ import annotations

import asyncio
import importlib
import statistics
import sys
import time
from typing import Any

import azure.identity
import azure.identity.aio
import emulator
import entrada
import entrada.aio
from report import Report, Row

from parts.rust import TARGET

CALLS = 500


def measure(report: Report, rounds: int) -> None:
    """Call in one process, in turns."""
    sys.path.append(str(TARGET))
    floor = importlib.import_module("entrada_floor").Floor(("token", 0))
    rows = []
    for name, made in emulator.CREDENTIALS.items():
        peer, ours = (eval(made, vars(library)) for library in (azure.identity, load(entrada)))
        times = in_turns({"peer": sync(peer), "ours": sync(ours), "floor": sync(floor)}, rounds)
        aim = 1 / 40 if name == "managed identity" else 1 / 100
        rows.append(
            Row(
                f"{name}, sync",
                "ns",
                times["peer"],
                times["ours"],
                times["floor"],
                "a PyO3 method of this signature that returns a constant",
                aim,
            )
        )
    for name, made in emulator.CREDENTIALS.items():
        peer, ours = (eval(made, vars(library)) for library in (azure.identity.aio, load(entrada.aio)))
        times = asyncio.run(asynchronous(peer, ours, rounds))
        rows.append(
            Row(
                f"{name}, async", "ns", times["peer"], times["ours"], times["floor"], "a coroutine that returns at once"
            )
        )
    over = [f"{row.ours / row.floor:.2g} ({row.what})" for row in rows if row.floor and row.aim]
    note = f"entrada, as a multiple of its floor, where the aim is at most 3: {', '.join(over)}."
    report.table("A cached `get_token`", "azure-identity", rows, [note])


def load(library: Any) -> Any:
    """Make the names of a lazily loaded module visible to `eval`."""
    for name in library.__all__:
        getattr(library, name)
    return library


def in_turns(batches: dict[str, Any], rounds: int) -> dict[str, float]:
    """The median nanoseconds of a call in each batch."""
    times: dict[str, list[float]] = {name: [] for name in batches}
    for _ in range(rounds * 3):
        for name, batch in batches.items():
            started = time.perf_counter_ns()
            batch()
            times[name].append((time.perf_counter_ns() - started) / CALLS)
    return {name: statistics.median(seen) for name, seen in times.items()}


def sync(credential: Any) -> Any:
    """A batch of cached calls."""
    credential.get_token(emulator.SCOPE)
    get_token = credential.get_token

    def batch() -> None:
        for _ in range(CALLS):
            get_token(emulator.SCOPE)

    return batch


async def asynchronous(peer: Any, ours: Any, rounds: int) -> dict[str, float]:
    """The median nanoseconds of an awaited call."""

    async def at_once() -> None:
        return None

    times: dict[str, list[float]] = {"peer": [], "ours": [], "floor": []}
    subjects = {
        "peer": lambda: peer.get_token(emulator.SCOPE),
        "ours": lambda: ours.get_token(emulator.SCOPE),
        "floor": at_once,
    }
    for subject in subjects.values():
        await subject()
    for _ in range(rounds * 3):
        for name, subject in subjects.items():
            started = time.perf_counter_ns()
            for _ in range(CALLS):
                await subject()
            times[name].append((time.perf_counter_ns() - started) / CALLS)
    await peer.close()
    return {name: statistics.median(seen) for name, seen in times.items()}
