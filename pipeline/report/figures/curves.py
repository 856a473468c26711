"""Curves: accuracy against N, reliability, risk against coverage."""

import numpy as np
from matplotlib.figure import Figure

from gensr.pipeline.report.content.data import Calibration, Steps
from gensr.pipeline.report.figures.chart import Chart, Table
from gensr.pipeline.report.figures.pen import (
    ACCENT,
    INK,
    MUTED,
    RULE,
    SECOND,
    TINT,
    Pen,
    bare,
    sheet,
)

_BOTH = (("accuracy", "WA", ACCENT, "o"), ("uar", "UAR", SECOND, "s"))


def steps_chart(steps: Steps) -> Chart:
    """Accuracy and UAR against the number of sampling steps (the paper's Table 3)."""
    rows = tuple(
        (N, wa.value, wa.low, wa.high, ua.value, ua.low, ua.high)
        for N, wa, ua in zip(steps.N, steps.accuracy, steps.uar, strict=True)
    )
    ends = [f"{name}{end}" for name, *_ in _BOTH for end in ("", "_low", "_high")]
    told = "; ".join(f"N = {row[0]}: {100 * row[1]:.1f} %" for row in rows)
    return Chart(
        name="steps",
        title="Accuracy against N",
        alt=f"Accuracy against the number of sampling steps: {told}.",
        table=Table(("N", *ends), rows),
        draw=_steps,
    )


def reliability_chart(found: Calibration) -> Chart:
    """Accuracy against confidence."""
    told = "; ".join(f"{100 * c:.0f} % sure, {100 * a:.0f} % right" for _, _, c, a, _ in found.bins)
    return Chart(
        name="reliability",
        title="Reliability",
        alt=f"Accuracy by confidence: {told}.",
        table=Table(("from", "to", "confidence", "accuracy", "n"), found.bins),
        draw=_reliability,
    )


def coverage_chart(found: Calibration) -> Chart:
    """Share of errors among the surest answers."""
    half = min(found.curve, key=lambda point: abs(point[0] - 0.5))
    last = found.curve[-1]
    return Chart(
        name="risk-coverage",
        title="Risk against coverage",
        alt=(
            f"Errors among the surest answers: {100 * half[1]:.1f} % of the surest "
            f"{100 * half[0]:.0f} %, {100 * last[1]:.1f} % of all."
        ),
        table=Table(("coverage", "risk", "least_confidence"), found.curve),
        draw=_coverage,
    )


def _steps(table: Table, pen: Pen) -> Figure:
    N = np.array(table.numbers("N"))
    figure = sheet(3.1)
    axes = figure.add_subplot()
    for name, label, colour, mark in _BOTH:
        value, low, high = (100 * np.array(table.numbers(f"{name}{e}")) for e in _ENDS)
        axes.fill_between(N, low, high, color=colour, alpha=0.13, linewidth=0)
        axes.plot(N, value, f"{mark}-", color=colour, linewidth=1.4, markersize=4.5)
        axes.annotate(
            f"{label} {value[-1]:.1f}",
            (N[-1], value[-1]),
            xytext=(7, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            annotation_clip=False,
        )
    axes.set_xscale("log")
    axes.set_xticks(N, [f"{n:.0f}" for n in N])
    axes.minorticks_off()
    axes.set_xlabel("sampling steps N")
    axes.set_ylabel("%, band: 95 % interval")
    axes.yaxis.grid(visible=True, color=RULE, linewidth=0.6)
    bare(axes)
    return figure


_ENDS = ("", "_low", "_high")


def _reliability(table: Table, pen: Pen) -> Figure:
    confidence, accuracy = (100 * np.array(table.numbers(n)) for n in ("confidence", "accuracy"))
    low, high = (100 * np.array(table.numbers(n)) for n in ("from", "to"))
    n = np.array(table.numbers("n"))
    figure = sheet(4.1)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.9, dashes=(3, 2))
    axes.bar(low, accuracy, high - low, align="edge", color=TINT, edgecolor="none")
    axes.vlines(confidence, confidence, accuracy, color=SECOND, linewidth=1.4)
    axes.plot(confidence, accuracy, "o", color=ACCENT, markersize=5, markeredgewidth=0)
    axes.set_ylim(0, 103)
    axes.set_xlim(0, 100)
    axes.set_ylabel("answered right, %")
    counts.bar(low, n / n.sum() * 100, high - low, align="edge", color=TINT, edgecolor="none")
    counts.set_ylabel("clips, %")
    counts.set_xlabel("confidence, %")
    for panel in (axes, counts):
        panel.yaxis.grid(visible=True, color=RULE, linewidth=0.6)
        panel.set_axisbelow(True)
        bare(panel)
    return figure


def _coverage(table: Table, pen: Pen) -> Figure:
    coverage, risk = (100 * np.array(table.numbers(n)) for n in ("coverage", "risk"))
    figure = sheet(4.1)
    axes = figure.add_subplot()
    axes.plot(coverage, risk, color=ACCENT, linewidth=1.6)
    axes.fill_between(coverage, 0, risk, color=TINT, linewidth=0)
    axes.plot(coverage[-1:], risk[-1:], "o", color=ACCENT, markersize=5)
    axes.annotate(
        f"all answered: {risk[-1]:.1f}",
        (coverage[-1], risk[-1]),
        xytext=(-4, 7),
        textcoords="offset points",
        ha="right",
        color=INK,
    )
    axes.set_xlim(0, 101)
    axes.set_ylim(0, max(1.0, 1.2 * float(risk.max())))
    axes.set_xlabel("coverage: share of clips answered, the surest first, %")
    axes.set_ylabel("risk: errors among them, %")
    axes.yaxis.grid(visible=True, color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    bare(axes)
    return figure
