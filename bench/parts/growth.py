"""A cache with many tokens: what a hit costs, and how much memory a token takes."""

from __future__ import annotations

import json
import time

import emulator
from processes import answer, medians
from report import Report, Row

PROGRAM = """
import json, random, statistics, sys, time
library, count, batches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
exec(f"from {library} import ManagedIdentityCredential")
def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
scopes = [f"https://resource-{number}.example.com/.default" for number in range(count)]
get_token = ManagedIdentityCredential().get_token
get_token(scopes[0])
before = resident()
for scope in scopes: get_token(scope)
memory = (resident() - before) / max(count - 1, 1)
random.seed(1)
times = []
for _ in range(batches):
    batch = random.choices(scopes, k=500)
    started = time.perf_counter_ns()
    for scope in batch: get_token(scope)
    times.append((time.perf_counter_ns() - started) / len(batch))
print(json.dumps([statistics.median(times), memory]))
"""

#: How many tokens each library is measured with. It is the default limit of entrada's cache.
OURS = (1, 1_000, 10_000, 100_000)
#: azure-identity takes longer for each new token, the more there are, so it is not given as many.
PEERS = (1, 1_000, 10_000)


def measure(report: Report, rounds: int) -> None:
    """Fill a cache in a process of its own with a token for each of many scopes."""
    token = {
        "access_token": "t" * 1400,
        "expires_on": str(int(time.time()) + 86_400),
        "resource": "https://vault.azure.net",
        "token_type": "Bearer",
    }
    emulator.forget()
    emulator.faults({"match": {"service": "app-service"}, "respond": {"status": 200, "json": token}})
    ours, peers = {}, {}
    for count in OURS:
        again = max(rounds // 10, 1) if count <= 1_000 else 1
        seen: dict[str, list[list[float]]] = {"azure.identity": [], "entrada": []}
        for _ in range(again):
            for library, outcomes in seen.items():
                if library == "entrada" or count in PEERS:
                    outcomes.append(json.loads(answer(PROGRAM, library, str(count), str(rounds))))
                    emulator.call("DELETE", "/journal")
        ours[count] = medians(seen["entrada"])
        peers[count] = medians(seen["azure.identity"]) if count in PEERS else [float("nan")] * 2
    emulator.forget()
    rows = [Row(f"a hit, one of {count:,}", "ns", peers[count][0], ours[count][0]) for count in OURS]
    rows += [
        Row(f"memory of a token, one of {count:,}", "bytes", peers[count][1], ours[count][1]) for count in OURS[2:]
    ]
    report.table(
        "A cache with many tokens",
        "azure-identity",
        rows,
        [
            "One `ManagedIdentityCredential`, a token of 1,400 characters for each scope, asked for in random order. "
            "Memory is what the process grew by. 100,000 tokens are as many as entrada keeps by default; "
            "azure-identity is measured with 10,000 at most: each new one takes it longer."
        ],
    )
