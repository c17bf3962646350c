"""The report: tables of medians, the ratio of each to the peer's, and the aim."""

from __future__ import annotations

import importlib.metadata
import math
from dataclasses import dataclass, field


@dataclass
class Row:
    """One comparison."""

    what: str
    unit: str
    peer: float
    ours: float
    #: What the same would cost with nothing of ours in it, and what that is.
    floor: float | None = None
    floor_is: str = ""
    #: The part of the peer's figure that ours should not exceed.
    aim: float | None = None

    @property
    def ratio(self) -> float:
        """Ours, as a part of the peer's."""
        return self.ours / self.peer if self.peer else float("nan")

    def cells(self) -> list[str]:
        """The cells of the row."""
        aim = ""
        if self.aim is not None:
            aim = f"1/{number(1 / self.aim)} {'met' if self.ratio <= self.aim else '**missed**'}"
        floor = "" if self.floor is None else f"{number(self.floor)} ({self.floor_is})"
        ratio = f"1/{number(1 / self.ratio)}" if 0 < self.ratio < 1 else number(self.ratio)
        return [self.what, self.unit, number(self.peer), number(self.ours), ratio, aim, floor]


def number(value: float) -> str:
    """A figure with three digits that count; nothing for one that there is not."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass
class Report:
    """All tables of a run."""

    machine: str
    tables: list[tuple[str, str, list[Row], list[str]]] = field(default_factory=list)

    def table(self, title: str, peer: str, rows: list[Row], notes: list[str] | None = None) -> None:
        """Add a table."""
        self.tables.append((title, peer, rows, notes or []))

    def markdown(self) -> str:
        """The report as text."""
        version = importlib.metadata.version
        lines = [
            "# entrada beside azure-identity",
            "",
            f"{self.machine}; entrada {version('entrada')}, azure-identity {version('azure-identity')}, "
            f"azure-core {version('azure-core')}. Medians; only ratios mean anything.",
        ]
        for title, peer, rows, notes in self.tables:
            header = ["", "unit", peer, "entrada", "ratio", "aim", "floor"]
            cells = [header, ["---"] * len(header), *(row.cells() for row in rows)]
            lines += ["", f"## {title}", "", *(f"| {' | '.join(row)} |" for row in cells)]
            if notes:
                lines += ["", *notes]
        return "\n".join(lines) + "\n"
