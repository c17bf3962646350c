"""Whole processes: wall clock, CPU and memory from start to end."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass
class Cost:
    """The medians of one program."""

    wall_ms: float
    cpu_ms: float
    rss_mib: float


def medians(outcomes: list[tuple[float, ...]]) -> list[float]:
    """Return the median of each column."""
    return [statistics.median(column) for column in zip(*outcomes, strict=True)]


def compare(programs: dict[str, str], rounds: int, env: dict[str, str] | None = None) -> dict[str, Cost]:
    """Run Python programs in turns and return the medians of each."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for round_number in range(rounds + 1):
        for name, program in programs.items():
            cost = run(program, env)
            # The first round fills the caches of files and of compiled modules.
            if round_number:
                seen[name].append(cost)
    return {
        name: Cost(
            *(statistics.median(column) for column in zip(*costs, strict=True)), rss_mib=memory(programs[name], env)
        )
        for name, costs in seen.items()
    }


def run(program: str, env: dict[str, str] | None) -> tuple[float, float]:
    """Run one Python program; milliseconds of wall clock and CPU."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"a program that is measured failed with status {child.returncode}:\n{program}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3


def memory(program: str, env: dict[str, str] | None) -> float:
    """The mebibytes of memory of one Python program, as the kernel counts them for it alone."""
    peak = "\nprint(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    return float(answer(program + peak, env=env).split()[1]) / 1024


def answer(program: str, *arguments: str, env: dict[str, str] | None = None, prefix: tuple[str, ...] = ()) -> str:
    """Run one Python program and return what it prints."""
    command = [*prefix, sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
