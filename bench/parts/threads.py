"""A call that is answered from the cache, from many threads at once."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Any

import azure.identity
import emulator
import entrada
from report import Report, Row

#: So many calls in all, so that a batch takes some tens of milliseconds.
CALLS = {"peer": 6_400, "ours": 256_000}


def measure(report: Report, rounds: int) -> None:
    """Let 1, 8 and 64 threads share one credential."""
    rows = []
    credentials = {"peer": azure.identity.ManagedIdentityCredential(), "ours": entrada.ManagedIdentityCredential()}
    for credential in credentials.values():
        credential.get_token(emulator.SCOPE)
    for threads in (1, 8, 64):
        times: dict[str, list[float]] = {name: [] for name in credentials}
        for _ in range(rounds):
            for name, credential in credentials.items():
                times[name].append(batch(credential, threads, CALLS[name] // threads))
        peer, ours = (statistics.median(seen) for seen in times.values())
        many = f"{threads} thread{'s' * (threads > 1)}"
        rows += [
            Row(f"{many}: a call", "ns", peer * threads, ours * threads),
            Row(f"{many}: calls in all", "1/s", 1e9 / peer, 1e9 / ours),
        ]
    report.table(
        "A cached `get_token` from many threads",
        "azure-identity",
        rows,
        ["Managed identity. Python runs one thread at a time, so that more threads can at best do as much as one."],
    )


def batch(credential: Any, threads: int, calls: int) -> float:
    """The nanoseconds that a call adds to the whole, when each thread does so many of them."""
    get_token = credential.get_token
    barrier = threading.Barrier(threads)
    spans = []

    def call() -> None:
        barrier.wait()
        started = time.perf_counter_ns()
        for _ in range(calls):
            get_token(emulator.SCOPE)
        spans.append((started, time.perf_counter_ns()))

    crowd = [threading.Thread(target=call) for _ in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    started, ended = zip(*spans, strict=True)
    return (max(ended) - min(started)) / (threads * calls)
