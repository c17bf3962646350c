"""Plots for the report: lines over a growing number of something, both axes in powers of ten."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

STYLE = Style(
    background="white",
    plot_background="white",
    font_family="system-ui, sans-serif",
    foreground="#333333",
    foreground_strong="#111111",
    foreground_subtle="#777777",
    colors=("#1f6f8b", "#d9a441", "#b3542c"),
    guide_stroke_color="#dddddd",
    guide_stroke_dasharray="0",
    major_guide_stroke_color="#dddddd",
    major_guide_stroke_dasharray="0",
    title_font_size=15,
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    stroke_width=2.5,
)


def growth(
    file: pathlib.Path,
    title: str,
    counted: str,
    counts: Sequence[int],
    lines: Mapping[str, Mapping[int, float]],
    shown: Callable[[float], str],
) -> None:
    """Write one plot: for each line, a value for as many of the counts as it has."""
    values = [value for line in lines.values() for value in line.values()]
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    marks = [10.0**power for power in range(lowest, max(highest, lowest + 1) + 1)]
    chart = pygal.Line(
        width=460,
        height=380,
        explicit_size=True,
        style=STYLE,
        js=[],
        logarithmic=True,
        range=(marks[0], marks[-1]),
        title=title,
        x_title=counted,
        legend_at_bottom=True,
        legend_at_bottom_columns=1,
        truncate_legend=-1,
        margin=20,
        margin_right=40,
        dots_size=4,
        value_formatter=shown,
    )
    # In the names of elements; random by default, and so every run another file.
    chart.uuid = file.stem
    chart.add_xml_filter(without_scripts)
    chart.x_labels = [f"{count:,}" for count in counts]
    chart.y_labels = marks
    for name, line in lines.items():
        chart.add(name, [line.get(count) for count in counts])
    file.write_bytes(chart.render() + b"\n")


def without_scripts(root: Element) -> Element:
    """A picture, wherever it is shown: nothing to load, nothing to run."""
    for parent in list(root.iter()):
        # A comment's tag is no text.
        for child in [child for child in parent if str(child.tag).endswith("script")]:
            parent.remove(child)
    return root


def seconds(value: float) -> str:
    """A time with its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size * 0.999:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def size(value: float) -> str:
    """Bytes with their unit."""
    for unit, many in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= many * 0.999:
            return f"{value / many:.3g} {unit}"
    return f"{value:.3g} bytes"
