"""Measures entrada beside azure-identity, in one run on one machine, and prints a report in Markdown.

Run it with `cargo xtask bench`. Only the ratios mean anything: machines differ, and are shared. Every figure is a
median; the subjects take turns, so that a noisy minute hits all of them.

    cargo xtask bench                 everything
    cargo xtask bench --quick         fewer repetitions
    cargo xtask bench --only import   one part; may be given several times

    import     what it costs to import the library
    cached     a call that is answered from the cache
    threads    the same from many threads at once
    growth     a cache with up to 100,000 tokens: what a hit costs, and the memory of a token
    first      from the start of a process to its first token
    principal  the same for apps with a certificate or an assertion
    users      on behalf of up to 100,000 users: a hit, a new user, memory; with plots
    stampede   many callers at once on a cold credential
    processes  64 processes that start together, on two hosts of managed identity
    refresh    how long a caller waits while a token is replaced
    failure    the default chain with nothing to find
    rust       cached calls through azure_core's trait: one thread, many, many tokens, memory
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from parts import (  # noqa: E402
    cached,
    failure,
    first,
    growth,
    imports,
    many_processes,
    on_behalf_of,
    refresh,
    rust,
    service_principal,
    stampede,
    threads,
)
from report import Report  # noqa: E402

PARTS = {
    "import": imports.measure,
    "cached": cached.measure,
    "threads": threads.measure,
    "growth": growth.measure,
    "first": first.measure,
    "principal": service_principal.measure,
    "users": on_behalf_of.measure,
    "stampede": stampede.measure,
    "processes": many_processes.measure,
    "refresh": refresh.measure,
    "failure": failure.measure,
    "rust": rust.measure,
}


def main() -> None:
    """Run the parts that are asked for, inside the emulator."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="only this part")
    arguments = parser.parse_args()
    chosen = arguments.only or list(PARTS)
    if "ENTRADA_EMULATOR_URL" not in os.environ:
        if {"rust", "cached"} & {*chosen}:
            print("building: bench/rust", file=sys.stderr, flush=True)
            rust.build()
        entrada = os.environ.get("ENTRADA_COMMAND", "entrada")
        inside = [entrada, "emulate", "--quiet", "--host", "app-service", "--", sys.executable, *sys.argv]
        os.execvp(entrada, inside)
    # The emulated web app has it, as a real one does; msal complains of it at every start.
    os.environ.pop("REGION_NAME", None)
    report = Report(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    for name, measure in PARTS.items():
        if name in chosen:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            measure(report, 9 if arguments.quick else 31)
    text = report.markdown()
    results = FOLDER / "results"
    results.mkdir(exist_ok=True)
    (results / "report.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
