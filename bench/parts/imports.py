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
        for what, unit, cost, its_aim in (
            ("CPU", "ms", "cpu_ms", aim),
            ("wall clock", "ms", "wall_ms", aim),
            ("resident memory", "MiB", "rss_mib", None),
        ):
            base = getattr(floor, cost)
            # Noise can put so small a figure below the floor.
            above = max(getattr(ours, cost) - base, 0.01)
            rows.append(Row(f"{what}{suffix}", unit, getattr(peer, cost) - base, above, base, floor_is, its_aim))
        rows.append(Row(f"modules{suffix}", "", *modules, bare, floor_is))
    report.table(
        "Import",
        "azure-identity",
        rows,
        ["`aio`: azure-identity with its transport, aiohttp; entrada with asyncio, which is most of its figure."],
    )
