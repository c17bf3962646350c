"""How long a caller waits while a token is replaced."""

from __future__ import annotations

import json

import emulator
from processes import answer, medians
from report import Report, Row

CALLERS = 16
#: The host takes so long for the token that replaces the first one.
SLOW_MS = 2000

SETUP = """
import asyncio, json, sys, threading, time
made, library, scope, seconds = sys.argv[1:]
end = time.perf_counter() + float(seconds)
longest = []
"""

#: Each caller asks every five milliseconds, as requests of a busy service do.
THREADS = f"""{SETUP}
exec(f"from {{library}} import {{made.partition('(')[0]}}")
credential = eval(made)
credential.get_token(scope)
def call():
    worst = 0
    while (started := time.perf_counter()) < end:
        credential.get_token(scope)
        worst = max(worst, time.perf_counter() - started)
        time.sleep(0.005)
    longest.append(worst)
threads = [threading.Thread(target=call) for _ in range({CALLERS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(max(longest) * 1e3))
"""

TASKS = f"""{SETUP}
exec(f"from {{library}}.aio import {{made.partition('(')[0]}}")
async def call(credential):
    worst = 0
    while (started := time.perf_counter()) < end:
        await credential.get_token(scope)
        worst = max(worst, time.perf_counter() - started)
        await asyncio.sleep(0.005)
    longest.append(worst)
async def main():
    credential = eval(made)
    await credential.get_token(scope)
    await asyncio.gather(*(call(credential) for _ in range({CALLERS})))
    await credential.close()
asyncio.run(main())
print(json.dumps(max(longest) * 1e3))
"""

MANNERS = {f"{CALLERS} threads": THREADS, f"{CALLERS} asyncio tasks": TASKS}

#: The token request of each; a life for the first token after which both libraries replace it; and for how long to
#: watch. azure-identity does not read the `refresh_in` of a managed identity, but takes a token for expired when it has
#: less than five minutes to live. An app's token it replaces no sooner than 30 seconds after it got it.
TOKENS = {
    "managed identity": ({"service": "app-service"}, {"expires_in": 303, "refresh_in": 3}, 7),
    "client secret": ({"service": "entra", "method": "POST"}, {"expires_in": 3600, "refresh_in": 32}, 37),
}


def measure(report: Report, rounds: int) -> None:
    """Ask all the while, from before the refresh until after it."""
    rows = []
    for name, made in emulator.CREDENTIALS.items():
        matching, short, seconds = TOKENS[name]
        for manner, program in MANNERS.items():
            seen: dict[str, list[tuple[float, int]]] = {"azure.identity": [], "entrada": []}
            for _ in range(max(rounds // 10, 1)):
                for library, outcomes in seen.items():
                    emulator.forget()
                    emulator.faults(
                        {"match": matching, "times": 1, "token": short}, {"match": matching, "delay_ms": SLOW_MS}
                    )
                    longest = json.loads(answer(program, made, library, emulator.SCOPE, str(seconds)))
                    outcomes.append((longest, sum(map(is_token_request, emulator.call("GET", "/journal")))))
            emulator.forget()
            peer, ours = (medians(outcomes) for outcomes in seen.values())
            rows += [
                Row(f"{name}, {manner}: longest call", "ms", peer[0], ours[0]),
                Row(f"{name}, {manner}: token requests", "", peer[1], ours[1], 2, "the first and its replacement"),
            ]
    report.table(
        f"A token is replaced while {CALLERS} callers use it, by a host that takes {SLOW_MS / 1e3:g} s",
        "azure-identity",
        rows,
        [
            "The longest single call of any caller. The first token says when it is to be replaced: after three "
            "seconds, an app's after 32. Of a managed identity azure-identity does not read that; its first token has "
            "303 seconds to live, so that azure-identity replaces it after three as well."
        ],
    )


def is_token_request(entry: dict[str, str]) -> bool:
    """Whether an exchange is none of the discovery that azure-identity does first."""
    return entry["service"] == "app-service" or (entry["service"] == "entra" and entry["method"] == "POST")
