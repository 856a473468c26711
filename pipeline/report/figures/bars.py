"""Shares side by side, each with its interval: by class, by speaker, by layer, by group."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from gensr.pipeline.report.content.data import Bar, Checks, Estimate, Group, Layers, SystemRow
from gensr.pipeline.report.figures.chart import Chart, Table
from gensr.pipeline.report.figures.pen import ACCENT, INK, MUTED, RULE, TINT, Pen, bare, sheet

MOST_BARS = 60
"""In one figure; the table has all."""
_HEAD = ("name", "value", "low", "high", "n")


def bars_chart(
    name: str, title: str, bars: Sequence[Bar], *, line: tuple[str, float] | None, what: str
) -> Chart:
    """A bar for each; those that are named first are on top.

    Args:
        name: of the chart's files.
        title: of the chart.
        bars: what stands side by side.
        line: a name and a share that all are held against.
        what: is shown, as `recall`.
    """
    rows = tuple((bar.name, *_ends(bar.estimate), bar.n) for bar in bars)
    told = "; ".join(f"{bar.name} {100 * bar.estimate.value:.1f} %" for bar in bars[:12])
    more = f"; and {len(bars) - 12} more" if len(bars) > 12 else ""
    return Chart(
        name=name,
        title=title,
        alt=f"{title}: {told}{more}.",
        table=Table(_HEAD, rows),
        draw=partial(_draw, line=line, what=what),
        names=tuple(bar.name for bar in bars),
    )


def layers_chart(layers: Layers, majority: float) -> Chart:
    """A bar for each layer, the first on top."""
    return bars_chart(
        "layers",
        "Accuracy by layer",
        [Bar(_layer(bar.name), bar.estimate, bar.n) for bar in layers.bars],
        line=("majority class", majority),
        what="accuracy of a linear probe",
    )


def group_chart(group: Group, overall: float) -> Chart:
    """A bar for each value of a column."""
    return bars_chart(
        f"group-{group.column}",
        f"By {group.column}",
        group.bars,
        line=("all clips", overall),
        what="accuracy",
    )


def shortcuts_chart(checks: Checks, majority: float) -> Chart:
    """A bar for each column that was tried alone."""
    return bars_chart(
        "shortcuts",
        "What the label follows from",
        [one.bar for one in checks.shortcuts],
        line=("majority class", majority),
        what="accuracy from this column alone",
    )


def systems_chart(rows: Sequence[SystemRow], majority: float, n: int) -> Chart:
    """The systems' accuracies on n clips, in the order of the table."""
    bars = [Bar(row.name, row.estimates["accuracy"], n) for row in rows]
    return bars_chart(
        "systems",
        "Systems",
        bars,
        line=("majority class", majority),
        what="accuracy",
    )


def _layer(name: str) -> str:
    return f"layer {name}" if name.isdecimal() else name


def _ends(estimate: Estimate) -> tuple[float, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _draw(table: Table, pen: Pen, *, line: tuple[str, float] | None, what: str) -> Figure:
    """Bars from 0 to 100 %, the interval over each, the number at the right."""
    shown = Table(table.head, table.rows[:MOST_BARS])
    value, low, high = (100 * np.array(shown.numbers(name)) for name in ("value", "low", "high"))
    place = np.arange(len(value))
    figure = sheet(0.85 + 0.27 * len(value))
    axes = figure.add_subplot()
    axes.barh(place, value, height=0.62, color=TINT, linewidth=0)
    axes.hlines(place, low, high, color=INK, linewidth=1.3)
    axes.plot(value, place, "o", color=ACCENT, markersize=4.5, markeredgewidth=0, clip_on=False)
    alike = len({*shown.column("n")}) == 1
    for y, row in zip(place, shown.rows, strict=True):
        n = "" if alike else f"\u2002n {row[4]}"
        axes.annotate(
            f"{value[y]:.1f}{n}",
            (1, y),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=MUTED,
        )
    if line is not None:
        axes.axvline(100 * line[1], color=MUTED, linewidth=0.9, dashes=(3, 2), zorder=3)
        axes.annotate(
            f"{line[0]} {100 * line[1]:.1f}",
            (100 * line[1], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right" if line[1] > 0.6 else "left" if line[1] < 0.4 else "center",
            va="bottom",
            fontsize=8.5,
            color=MUTED,
        )
    axes.set_yticks(place, [pen.name(str(row[0])) for row in shown.rows])
    axes.set_ylim(len(place) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"{what}, %")
    axes.xaxis.grid(visible=True, color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    bare(axes, left=False)
    return figure
