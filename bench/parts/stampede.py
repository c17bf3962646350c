"""Many callers at once on a cold credential."""

from __future__ import annotations

import json

import emulator
from processes import answer, medians
from report import Report, Row

THREADS = """
import json, sys, threading, time
made, library, scope = sys.argv[1:]
exec(f"from {library} import {made.partition('(')[0]}")
credential = eval(made)
barrier = threading.Barrier(100)
def call():
    barrier.wait()
    credential.get_token(scope)
threads = [threading.Thread(target=call) for _ in range(100)]
started = time.perf_counter()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps((time.perf_counter() - started) * 1e3))
"""

TASKS = """
import asyncio, json, sys, time
made, library, scope = sys.argv[1:]
exec(f"from {library}.aio import {made.partition('(')[0]}")
async def main():
    credential = eval(made)
    started = time.perf_counter()
    await asyncio.gather(*(credential.get_token(scope) for _ in range(1000)))
    print(json.dumps((time.perf_counter() - started) * 1e3))
    await credential.close()
asyncio.run(main())
"""

OBJECTS = THREADS.replace("credential = eval(made)\n", "").replace("credential.get_token", "eval(made).get_token")

MANNERS = {"100 threads": THREADS, "1,000 asyncio tasks": TASKS, "100 threads, an object each": OBJECTS}


def measure(report: Report, rounds: int) -> None:
    """Count the requests at the server, which takes 100 ms for an answer."""
    rows = []
    for name, made in emulator.CREDENTIALS.items():
        for manner, program in MANNERS.items():
            seen: dict[str, list[tuple[int, float]]] = {"azure.identity": [], "entrada": []}
            for _ in range(max(rounds // 10, 1)):
                for library, outcomes in seen.items():
                    emulator.forget()
                    emulator.delay(100)
                    wall = json.loads(answer(program, made, library, emulator.SCOPE))
                    outcomes.append((emulator.requests(), wall))
            emulator.forget()
            peer, ours = (medians(seen[library]) for library in ("azure.identity", "entrada"))
            rows += [
                Row(f"{name}, {manner}: requests", "", peer[0], ours[0], 1, "one request", 1 / max(peer[0], 1)),
                Row(f"{name}, {manner}: wall clock", "ms", peer[1], ours[1], 100, "one answer of the server"),
            ]
    report.table("A stampede on a cold credential", "azure-identity", rows)
