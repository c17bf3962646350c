"""What it costs to import the library."""

from __future__ import annotations

from processes import answer, compare
from report import Report, Row

PAIRS = {
    "": ("from azure.identity import DefaultAzureCredential", "from entrada import DefaultAzureCredential"),
    " (aio)": (
        "from azure.identity.aio import DefaultAzureCredential; import aiohttp",
        "from entrada.aio import DefaultAzureCredential; import asyncio",
    ),
}
COUNT = "; import sys; print(len(sys.modules))"


def measure(report: Report, rounds: int) -> None:
    """Import in new processes, above a bare interpreter."""
    rows = []
    for suffix, (peer_program, our_program) in PAIRS.items():
        costs = compare({"floor": "pass", "peer": peer_program, "ours": our_program}, rounds)
        floor, peer, ours = costs["floor"], costs["peer"], costs["ours"]
        bare = int(answer("import sys; print(len(sys.modules))"))
        modules = [int(answer(program + COUNT)) - bare for program in (peer_program, our_program)]
        aim = 1 / 40 if not suffix else None
        floor_is = "bare interpreter, taken off both"
        rows += [
            Row(
                f"CPU{suffix}",
                "ms",
                peer.cpu_ms - floor.cpu_ms,
                max(ours.cpu_ms - floor.cpu_ms, 0.01),
                floor.cpu_ms,
                floor_is,
                aim,
            ),
            Row(
                f"wall clock{suffix}",
                "ms",
                peer.wall_ms - floor.wall_ms,
                max(ours.wall_ms - floor.wall_ms, 0.01),
                floor.wall_ms,
                floor_is,
                aim,
            ),
            Row(
                f"resident memory{suffix}",
                "MiB",
                peer.rss_mib - floor.rss_mib,
                max(ours.rss_mib - floor.rss_mib, 0.01),
                floor.rss_mib,
                floor_is,
            ),
            Row(f"modules{suffix}", "", *modules, bare, floor_is),
        ]
    report.table(
        "Import",
        "azure-identity",
        rows,
        ["`aio`: azure-identity with its transport, aiohttp; entrada with asyncio, which is most of its figure."],
    )
