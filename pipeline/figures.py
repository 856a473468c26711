"""The pictures of an evaluation: confusion, accuracy against N (Table 3), trajectory (Fig. 1)."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gensr.estimator.metrics import Numbers
from gensr.pipeline.bench import MeanTrajectory
from gensr.pipeline.evaluate import Evaluation

INK, BLUE, ORANGE, GREY = "#222222", "#1f5f99", "#d1701c", "#9a9a9a"


def draw(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Draw what there is to draw.

    Args:
        evaluation: a scored run.
        folder: where the PNGs go; made if missing.

    Returns:
        Their paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{evaluation.model}, {evaluation.protocol.name}"
    figures = {"confusion.png": confusion(evaluation.numbers, title)}
    if evaluation.by_steps:
        figures["steps.png"] = steps(evaluation.by_steps, title)
    if evaluation.trajectory is not None:
        figures["trajectory.png"] = trajectory(evaluation.trajectory, title)
    paths = []
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=150, metadata={"Software": None})
        paths.append(folder / name)
    return paths


def confusion(found: Numbers, title: str) -> Figure:
    """Confusion matrix: colour is the share of the row, the number the clips."""
    counts = np.asarray(found.confusion, float)
    rows = counts.sum(1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    C = len(found.classes)
    side = min(12.0, 2.6 + 0.62 * C)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(C), found.classes, rotation=45, ha="right")
    axes.set_yticks(range(C), found.classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth")
    if C <= 20:
        for i, j in np.ndindex(C, C):
            if counts[i, j]:
                colour = "white" if share[i, j] > 0.55 else INK
                axes.text(
                    j, i, f"{counts[i, j]:.0f}", ha="center", va="center", color=colour, fontsize=9
                )
    figure.colorbar(image, ax=axes, shrink=0.8, label="share of the class (recall)")
    axes.set_title(
        f"{title}\naccuracy {found.values['accuracy']:.1%}, UAR {found.values['uar']:.1%}, "
        f"n = {found.n}",
        fontsize=10,
    )
    return figure


def steps(by_steps: dict[int, Numbers], title: str) -> Figure:
    """Accuracy and UAR against the number of sampling steps, with 95 % intervals."""
    figure = Figure(figsize=(6.2, 4.0), layout="constrained")
    axes = figure.add_subplot()
    N = np.array(sorted(by_steps))
    for name, colour, label in (("accuracy", BLUE, "accuracy (WA)"), ("uar", ORANGE, "UAR (UA)")):
        values = np.array([by_steps[n].values[name] for n in N])
        spans = [by_steps[n].intervals[name] for n in N]
        axes.plot(N, 100 * values, "o-", color=colour, label=label)
        known = [span for span in spans if span is not None]
        if len(known) == len(N):
            low, high = 100 * np.array(known).T
            axes.fill_between(N, low, high, color=colour, alpha=0.12, linewidth=0)
    majority = next(iter(by_steps.values())).values["majority_baseline"]
    axes.axhline(100 * majority, color=GREY, linestyle="--", label="majority class")
    axes.set_xscale("log")
    axes.set_xticks(N, [str(n) for n in N])
    axes.minorticks_off()
    axes.set_xlabel("sampling steps N")
    axes.set_ylabel("%")
    axes.set_title(f"{title}: steps (the paper's Table 3)", fontsize=10)
    axes.legend(frameon=False, fontsize=9)
    _plain(axes)
    return figure


def trajectory(way: MeanTrajectory, title: str) -> Figure:
    """Mean state at six times from x1 to x0, over the code of the class (the paper's Fig. 1)."""
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    last = len(way.times) - 1
    for number, axes in enumerate(panels):
        step = round(number * last / 5)
        state = way.states[step]
        norms = float(np.linalg.norm(state) * np.linalg.norm(way.code))
        cosine = float(state @ way.code) / norms if norms else 0.0
        axes.plot(way.code, color=ORANGE, linewidth=1.2, label="$x_0$, the code")
        axes.plot(state, color=BLUE, linewidth=0.7, label="mean $x_t$")
        name = "$x_1$" if step == 0 else "$x_t$"
        axes.set_title(f"{name}, t = {way.times[step]:.2f}, cosine {cosine:.2f}", fontsize=10)
        _plain(axes)
    panels[0].legend(frameon=False, fontsize=8, loc="upper right")
    figure.supxlabel("dimension")
    figure.suptitle(f"{title}: mean way of the class “{way.name}” (the paper's Fig. 1)")
    return figure


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
