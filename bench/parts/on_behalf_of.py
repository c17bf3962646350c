"""A service that acts for many users: what a cached token costs, a new user, and memory."""

from __future__ import annotations

import json
import math
import pathlib
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import emulator
import plots
from report import Report, Row

#: The last is the default limit of entrada's cache.
USERS = (10, 1_000, 10_000, 100_000)
#: A subject that has taken longer, in seconds, to get a token for each user is measured with those it has.
BUDGET = 180
QUICK_BUDGET = 20

#: How each subject gets a token for a user. What differs between them is only where the tokens are kept.
SUBJECTS = {
    "entrada": """
from entrada import OnBehalfOfCredential
credential = OnBehalfOfCredential(*app, client_secret=secret)
def ask(assertion):
    return credential.get_token(scope, user_assertion=assertion)
""",
    "azure-identity, a credential for each user": """
from azure.identity import OnBehalfOfCredential
credentials = {}
def ask(assertion):
    credential = credentials.get(assertion)
    if credential is None:
        credential = OnBehalfOfCredential(*app, client_secret=secret, user_assertion=assertion)
        credentials[assertion] = credential
    return credential.get_token(scope)
""",
    "azure-identity, these sharing one cache": """
from azure.identity import OnBehalfOfCredential
from msal import TokenCache
credentials, cache = {}, TokenCache()
def ask(assertion):
    credential = credentials.get(assertion)
    if credential is None:
        credential = OnBehalfOfCredential(*app, client_secret=secret, user_assertion=assertion, _cache=cache)
        credentials[assertion] = credential
    return credential.get_token(scope)
""",
}

PROGRAM = """
import json, random, statistics, sys, time
from concurrent.futures import ThreadPoolExecutor
app, secret, scope, counts, budget, file = json.loads(sys.argv[1])
{subject}
def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
assertions = open(file).read().split()
# The first user pays for what is made once: imports, threads, connections.
ask(assertions[0])
random.seed(1)
timed, crowd = 200, ThreadPoolExecutor(8)
start, before, count = time.monotonic(), resident(), 1
for goal in counts:
    added = []
    # All but the last are let in by several threads and not timed: a request through a proxy is mostly waiting.
    while count < goal - timed and time.monotonic() - start < budget:
        some = assertions[count : min(count + 64, goal - timed)]
        list(crowd.map(ask, some))
        count += len(some)
    while count < goal and len(added) < timed:
        wall, cpu = time.perf_counter(), time.process_time()
        ask(assertions[count])
        added.append((time.perf_counter() - wall, time.process_time() - cpu))
        count += 1
    memory = (resident() - before) * count / (count - 1)
    known, hits, one = assertions[:count], [], 1
    until = time.perf_counter() + 3
    while time.perf_counter() < until or len(hits) < 7:
        batch = random.choices(known, k=one)
        began = time.perf_counter()
        for assertion in batch: ask(assertion)
        took = (time.perf_counter() - began) / one
        # The first batch is one call and shows how many make five milliseconds.
        if hits or one > 1 or took > 0.005: hits.append(took)
        one = max(1, min(1000, int(0.005 / took)))
    wall, cpu = (statistics.median(column) for column in zip(*added))
    print(json.dumps([goal, count, statistics.median(hits), wall, cpu, memory]), flush=True)
    if count < goal or time.monotonic() - start > budget:
        break
"""


@dataclass
class Figures:
    """What one subject needs with so many users: seconds and bytes."""

    users: int
    hit: float
    insert: float
    insert_cpu: float
    memory: float


def measure(report: Report, rounds: int) -> None:
    """Let each subject, in a process of its own, get tokens for more and more users."""
    budget = BUDGET if rounds > 9 else QUICK_BUDGET
    emulator.forget()
    # A credential that is kept for a user keeps a connection.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(emulator.user_assertions(max(USERS))))
        file.flush()
        # Ours is measured to the end, however long a busy machine takes.
        budgets = {name: math.inf if name == "entrada" else budget for name in SUBJECTS}
        seen = {name: run(subject, file.name, budgets[name]) for name, subject in SUBJECTS.items()}
    emulator.forget()
    tables(report, seen, budget)
    draw(seen)


def run(subject: str, file: str, budget: float) -> dict[int, Figures]:
    """The figures of one subject for each number of users it came to."""
    app = (emulator.TENANT_ID, emulator.API_CLIENT_ID)
    told = json.dumps([app, emulator.API_SECRET, emulator.SCOPE, USERS, budget, file])
    figures = {}
    command = [sys.executable, "-c", PROGRAM.format(subject=subject), told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            goal, *values = json.loads(line)
            figures[goal] = Figures(*values)
            # A hundred thousand requests are more than anybody reads.
            emulator.call("DELETE", "/journal")
    if child.returncode:
        raise SystemExit(f"a program that is measured failed with status {child.returncode}:\n{subject}")
    return figures


def tables(report: Report, seen: dict[str, dict[int, Figures]], budget: float) -> None:
    """A table for each of the peer's two ways."""
    ours, *peers = seen.items()
    for name, figures in peers:
        rows = []
        for what, unit, factor, value in MEASURES:
            for users in USERS:
                reached = users in figures and figures[users].users == users
                theirs = value(figures[users]) * factor if reached else math.nan
                rows.append(Row(f"{what}, {users:,} users", unit, theirs, value(ours[1][users]) * factor))
        notes = [
            "One process and the emulator beside it; tokens as the emulator signs them. A hit is a call for a random "
            "user whose token is there. A new user is a call for one whose is not, the median of the last 200; CPU is "
            "that of the process that asks. azure-identity waits some 40 ms of a call for its own HTTP client, which "
            "leaves Nagle's algorithm on where there is a proxy. Memory is what the process grew by, with all it keeps "
            "for a user."
        ]
        last = max(figures.values(), key=lambda figures: figures.users)
        if last.users < max(USERS):
            notes.append(
                f"{name} was stopped after {budget:.0f} s, with {last.users:,} users: a hit took "
                f"{plots.seconds(last.hit)}, and all of them {plots.size(last.memory)}."
            )
        if "sharing" in name:
            notes.append("`_cache` is the one way to share, and not a documented one.")
        report.table(f"On behalf of many users: entrada and {name}", "azure-identity", rows, notes)


MEASURES = (
    ("a hit", "µs", 1e6, lambda figures: figures.hit),
    ("a new user", "ms", 1e3, lambda figures: figures.insert),
    ("a new user, CPU", "ms", 1e3, lambda figures: figures.insert_cpu),
    ("memory", "MiB", 1 / (1 << 20), lambda figures: figures.memory),
)


def draw(seen: dict[str, dict[int, Figures]]) -> None:
    """A plot for each measure that grows or does not."""
    folder = pathlib.Path(__file__).resolve().parents[1] / "results"
    folder.mkdir(exist_ok=True)
    for file, title, value, shown in (
        ("hit", "A token that is there: time of a call", lambda figures: figures.hit, plots.seconds),
        ("new-user", "A new user: CPU time of the first call", lambda figures: figures.insert_cpu, plots.seconds),
        ("memory", "Memory for all users", lambda figures: figures.memory, plots.size),
    ):
        lines = {
            # Only numbers of users that were reached: a point beside its place would be a wrong one.
            name: {users: value(figure) for users, figure in figures.items() if figure.users == users}
            for name, figures in seen.items()
        }
        plots.growth(folder / f"on-behalf-of-{file}.svg", title, "users", USERS, lines, shown)
