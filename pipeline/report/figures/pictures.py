"""Pictures: the confusion matrix, the map of the clips on both sides, the way of a class."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from gensr.pipeline.report.content.data import Confusion, Map, Way
from gensr.pipeline.report.figures.chart import Cell, Chart, Table
from gensr.pipeline.report.figures.pen import (
    ACCENT,
    CLASSES,
    INK,
    MARKS,
    MUTED,
    RULE,
    SECOND,
    Pen,
    bare,
    sheet,
)

MOST_POINTS = 3000
"""Clips that a map draws, evenly chosen; the table has all."""
PANELS = 6
"""Times that the still figure of a way shows."""


def confusion_chart(found: Confusion) -> Chart:
    """What was taken for what: rows truth, columns prediction."""
    shares = found.shares()
    rows = tuple(
        (truth, predicted, float(found.counts[i, j]), float(shares[i, j]))
        for i, truth in enumerate(found.classes)
        for j, predicted in enumerate(found.classes)
    )
    recall = "; ".join(
        f"{name} {100 * shares[i, i]:.1f} %" for i, name in enumerate(found.classes[:12])
    )
    return Chart(
        name="confusion",
        title="Confusion matrix",
        alt=f"Confusion matrix, recall by class: {recall}.",
        table=Table(("truth", "predicted", "clips", "share_of_truth"), rows),
        draw=_confusion,
        names=found.classes,
    )


def map_charts(found: Map) -> tuple[Chart, Chart]:
    """The tested clips before and after transport."""
    charts = []
    for side, places, what in (
        ("before", found.before, "Before: x1, what the encoder gives"),
        ("after", found.after, "After: x0_hat, where transport ends"),
    ):
        rows = tuple(
            (path, found.classes[label], float(x), float(y))
            for path, label, (x, y) in zip(found.paths, found.labels, places, strict=True)
        )
        thinned = f", {MOST_POINTS} at most drawn" if len(rows) > MOST_POINTS else ""
        charts.append(
            Chart(
                name=f"map-{side}",
                title=what,
                alt=f"Map of {len(rows)} tested clips{thinned}, coloured by class. {what}.",
                table=Table(("path", "class", "x", "y"), rows),
                draw=partial(
                    _map,
                    classes=found.classes,
                ),
                names=found.classes,
            )
        )
    return charts[0], charts[1]


def way_chart(way: Way) -> Chart:
    """The mean way of one class in still panels (the paper's Fig. 1)."""
    chosen = np.unique(np.linspace(0, len(way.times) - 1, PANELS).round().astype(int))
    cosines = way.cosines()
    rows: list[tuple[Cell, ...]] = [
        ("code", None, None, i, float(value)) for i, value in enumerate(way.code)
    ]
    for step in chosen:
        t, cosine = float(way.times[step]), float(cosines[step])
        state = enumerate(way.states[step])
        rows += [("state", t, cosine, i, float(value)) for i, value in state]
    return Chart(
        name="trajectory",
        title=f"Mean way of {way.name}",
        alt=(
            f"Mean state of {way.clips} clips of {way.name} at {len(chosen)} times from x1 to x0; "
            f"its cosine with the code goes from {cosines[0]:.2f} to {cosines[-1]:.2f}."
        ),
        table=Table(("what", "t", "cosine", "dimension", "value"), tuple(rows)),
        draw=_way,
        names=(way.name,),
    )


def _confusion(table: Table, pen: Pen) -> Figure:
    names = list(dict.fromkeys(map(str, table.column("truth"))))
    C = len(names)
    share = np.array(table.numbers("share_of_truth")).reshape(C, C)
    clips = np.array(table.numbers("clips")).reshape(C, C)
    side = min(11.0, 1.6 + 0.55 * C)
    figure = sheet(side, side + 0.4)
    axes = figure.add_subplot()
    axes.imshow(100 * share, cmap="Blues", vmin=0, vmax=125)
    axes.set_xticks(range(C), [pen.name(name, 14) for name in names], rotation=45, ha="right")
    axes.set_yticks(range(C), [pen.name(name, 14) for name in names])
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth")
    if C <= 20:
        for i, j in zip(*np.nonzero(clips), strict=True):
            axes.text(
                j,
                i,
                f"{100 * share[i, j]:.0f} %\n{clips[i, j]:.4g}",
                ha="center",
                va="center",
                color="white" if share[i, j] > 0.7 else INK,
                fontsize=8,
            )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _map(table: Table, pen: Pen, *, classes: tuple[str, ...]) -> Figure:
    some = slice(None, None, max(1, -(-len(table.rows) // MOST_POINTS)))
    labels = np.array(table.column("class"))[some]
    x, y = np.array(table.numbers("x"))[some], np.array(table.numbers("y"))[some]
    figure = sheet(4.9)
    axes = figure.add_subplot()
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(classes)) / len(classes)
    corners = np.stack([np.cos(angles), np.sin(angles)], 1)
    axes.fill(*corners.T, facecolor="none", edgecolor=RULE, linewidth=0.8)
    for number, name in enumerate(classes):
        part = labels == name
        axes.plot(
            x[part],
            y[part],
            MARKS[number],
            color=CLASSES[number],
            markersize=4,
            markeredgewidth=0,
            alpha=0.75,
            label=pen.name(name, 14),
        )
        axes.plot(*corners[number], "+", color=INK, markersize=7, markeredgewidth=1)
    most = 1.05 * float(max(1.15, np.abs([x, y]).max()))
    axes.set_xlim(-most, most)
    axes.set_ylim(-most, most)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9, handletextpad=0.2)
    return figure


def _way(table: Table, pen: Pen) -> Figure:
    what, t = np.array(table.column("what")), np.array(table.numbers("t"))
    value, cosine = np.array(table.numbers("value")), np.array(table.numbers("cosine"))
    code = value[what == "code"]
    times = sorted({*t[what == "state"].tolist()}, reverse=True)
    figure = sheet(0.9 + 0.75 * len(times))
    panels = np.atleast_1d(figure.subplots(len(times), 1, sharex=True, sharey=True))
    for axes, time in zip(panels, times, strict=True):
        here = (what == "state") & (t == time)
        axes.plot(code, color=SECOND, linewidth=1.0)
        axes.plot(value[here], color=ACCENT, linewidth=0.6)
        axes.set_ylabel(
            f"t {time:.2f}\ncos {cosine[here][0]:.2f}", rotation=0, ha="right", va="center"
        )
        axes.set_yticks([])
        bare(axes, left=False)
    panels[-1].set_xlabel("dimension; orange: the code x0, blue: the mean state", color=MUTED)
    return figure
