"""The pictures of an evaluation: confusion, accuracy against N (Table 3), trajectory (Fig. 1)."""

from pathlib import Path

from gensr.pipeline.scoring import canvas  # first: matplotlib without the current folder's settings

# isort: split
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gensr.estimator.metrics import Numbers
from gensr.features.same_encoder import named
from gensr.features.shown import in_picture
from gensr.pipeline.scoring import fonts
from gensr.pipeline.scoring.evaluation import Evaluation
from gensr.pipeline.scoring.replay import MeanTrajectory

_LONGEST_TITLE = 100
"""Characters: a line of the widest picture."""
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
    title, paths = _title(evaluation), []
    families, without = fonts.families(_texts(evaluation))
    with canvas.plain(families):
        figures = {"confusion.png": confusion(evaluation.numbers, title, without)}
        if evaluation.by_steps:
            figures["steps.png"] = steps(evaluation.by_steps, title, without)
        if evaluation.trajectory is not None:
            figures["trajectory.png"] = trajectory(evaluation.trajectory, title, without)
        for name, figure in figures.items():
            figure.savefig(folder / name, dpi=150, bbox_inches="tight", metadata={"Software": None})
            paths.append(folder / name)
    return paths


def lacking(evaluation: Evaluation) -> frozenset[str]:
    """Return the letters of its names that no font of this machine has."""
    return fonts.families(_texts(evaluation))[1]


def confusion(found: Numbers, title: str, without: frozenset[str] = frozenset()) -> Figure:
    """Confusion matrix: colour and upper number are the share of the row, below it the clips."""
    counts = np.asarray(found.confusion, float)
    rows = counts.sum(1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    C = len(found.classes)
    names = [_name(name, without) for name in found.classes]
    side = min(12.0, 2.6 + 0.72 * C)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(100 * share, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(C), names, rotation=45, ha="right")
    axes.set_yticks(range(C), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth")
    if C <= 20:
        for i, j in zip(*np.nonzero(counts), strict=True):
            axes.text(
                j,
                i,
                f"{100 * share[i, j]:.0f} %\n{counts[i, j]:.0f}",
                ha="center",
                va="center",
                color="white" if share[i, j] > 0.55 else INK,
                fontsize=8,
            )
    figure.colorbar(image, ax=axes, fraction=0.046, label="% of the class (recall)")
    axes.set_title(
        f"{_headline(title, without)}\naccuracy {found.values['accuracy']:.1%}, "
        f"UAR {found.values['uar']:.1%}, n = {found.n}",
        fontsize=10,
    )
    return figure


def steps(
    by_steps: dict[int, Numbers], title: str, without: frozenset[str] = frozenset()
) -> Figure:
    """Accuracy and UAR against the number of sampling steps; below, what each N changes.

    Above: values with their 95 % intervals, on an axis that holds those and no more. Below: the
    difference to the fewest steps, in points: often far less than an interval, and the question.
    """
    N = np.array(sorted(by_steps))
    figure = Figure(figsize=(6.6, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for name, colour, label in (("accuracy", BLUE, "accuracy (WA)"), ("uar", ORANGE, "UAR (UA)")):
        values = 100 * np.array([by_steps[n].values[name] for n in N])
        spans = [by_steps[n].intervals[name] for n in N]
        upper.plot(N, values, "o-", color=colour, label=label)
        known = [span for span in spans if span is not None]
        if len(known) == len(N):
            low, high = 100 * np.array(known).T
            upper.fill_between(
                N, low, high, color=colour, alpha=0.12, linewidth=0, label=f"{label}, 95 %"
            )
        lower.plot(N, values - values[0], "o-", color=colour)
    lower.axhline(0, color=GREY, linewidth=0.8)
    lower.set_xscale("log")
    lower.set_xticks(N, [str(n) for n in N])
    lower.minorticks_off()
    lower.set_xlabel("sampling steps N")
    upper.set_ylabel("%")
    lower.set_ylabel(f"points over N = {N[0]}")
    first = by_steps[int(N[0])]
    figure.suptitle(
        f"{_headline(title, without)}: steps (the paper's Table 3)\n"
        f"n = {first.n}, majority class {first.values['majority_baseline']:.1%}",
        fontsize=10,
    )
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    for axes in (upper, lower):
        _plain(axes)
    return figure


def trajectory(way: MeanTrajectory, title: str, without: frozenset[str] = frozenset()) -> Figure:
    """Mean state at six times from x1 to x0, over the code of the class (the paper's Fig. 1)."""
    figure = Figure(figsize=(10, 5.6), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True).ravel()
    last = len(way.times) - 1
    for number, axes in enumerate(panels):
        step = round(number * last / 5)
        state = way.states[step]
        norms = float(np.linalg.norm(state) * np.linalg.norm(way.code))
        cosine = float(state @ way.code) / norms if norms else 0.0
        label = ("$x_0$, the code", "mean $x_t$") if number == 0 else (None, None)
        axes.plot(way.code, color=ORANGE, linewidth=1.2, label=label[0])
        axes.plot(state, color=BLUE, linewidth=0.7, label=label[1])
        name = "$x_1$" if step == 0 else "$x_t$"
        axes.set_title(f"{name}, t = {way.times[step]:.2f}, cosine {cosine:.2f}", fontsize=10)
        _plain(axes)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    panels[4].set_xlabel("dimension")
    figure.suptitle(
        f"{_headline(title, without)}: mean way of {way.clips} tested clips of the class "
        f"“{_name(way.name, without)}” (the paper's Fig. 1)",
        fontsize=10,
    )
    return figure


def _title(evaluation: Evaluation) -> str:
    encoder = named(evaluation.config.encoder)
    return f"{evaluation.model}, {evaluation.protocol.name}, {encoder}"


def _texts(evaluation: Evaluation) -> list[str]:
    return [in_picture(text) for text in (_title(evaluation), *evaluation.numbers.classes)]


def _headline(title: str, without: frozenset[str]) -> str:
    return fonts.drawable(in_picture(title, _LONGEST_TITLE), without)


def _name(text: str, without: frozenset[str]) -> str:
    return fonts.drawable(in_picture(text), without)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
