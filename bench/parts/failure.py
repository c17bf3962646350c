"""The default chain with nothing to find."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

from processes import answer, medians
from report import Report, Row

PROGRAM = """
import json, logging, sys, time
library, warm, scope = sys.argv[1:]
logging.disable(logging.CRITICAL)
started, cpu = time.perf_counter(), time.process_time()
exec(f"from {library} import DefaultAzureCredential")
imported = (time.perf_counter() - started) * 1e3, (time.process_time() - cpu) * 1e3
if warm == "warm":
    import azure.core.exceptions
def fail(credential):
    started, cpu = time.perf_counter(), time.process_time()
    try:
        credential.get_token(scope)
    except Exception as error:
        assert type(error).__name__ == "ClientAuthenticationError", error
        return (time.perf_counter() - started) * 1e3, (time.process_time() - cpu) * 1e3
    raise SystemExit("there was something to find")
credential = DefaultAzureCredential()
first, second = fail(credential), fail(credential)
if warm == "cold":
    first = [sum(both) for both in zip(first, imported)]
print(json.dumps([*first, *second]))
"""
KEPT = ("HOME", "LANG", "LD_LIBRARY_PATH")


def measure(report: Report, rounds: int) -> None:
    """Fail in new processes, where the network is unreachable at once."""
    isolated = ("unshare", "--net")
    alone = shutil.which("unshare") and subprocess.run([*isolated, "true"], capture_output=True).returncode == 0
    env = {name: os.environ[name] for name in KEPT if name in os.environ} | {"PATH": "/nonexistent"}
    prefix = (shutil.which("unshare") or "unshare", "--net") if alone else ()
    rows = []
    for warm, words in (("warm", "azure-core imported already"), ("cold", "with what was imported for it")):
        seen: dict[str, list[list[float]]] = {"azure.identity": [], "entrada": []}
        for _ in range(max(rounds // 3, 3)):
            for library, outcomes in seen.items():
                output = answer(PROGRAM, library, warm, "https://vault.azure.net/.default", env=env, prefix=prefix)
                outcomes.append(json.loads(output))
        peer, ours = (medians(seen[library]) for library in ("azure.identity", "entrada"))
        for index, what in enumerate(("first call", "first call, CPU", "second call", "second call, CPU")):
            rows.append(Row(f"{what}, {words}", "ms", peer[index], ours[index]))
    where = "in a network namespace without a network" if alone else "on this machine's network"
    report.table(
        "The default chain fails with nothing available",
        "azure-identity",
        rows,
        [
            f"Measured {where}, with no tools on PATH. The aim is under 50 ms of its own time. The first failure "
            "imports azure-core if nothing else has, for the base class of the exception: in the figures with what was "
            "imported, both libraries' imports are included."
        ],
    )
