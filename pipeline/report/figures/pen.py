"""What all figures of a report share: colours, sizes, and how names are drawn.

Every colour here stands for a role. Inside the page it is the role that is drawn, as a variable of
the style sheet (svg.py), so that one figure serves a light page, a dark one, and paper.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gensr.pipeline.scoring import canvas  # first: matplotlib without the current folder's settings

# isort: split
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gensr.features.shown import in_picture
from gensr.pipeline.scoring import fonts

INK, MUTED, RULE, ACCENT, TINT, SECOND = (
    "#1c1d1f",
    "#63666b",
    "#d8dade",
    "#1f5f99",
    "#c9dcee",
    "#b4540a",
)
CLASSES = (
    "#0b6bb8",
    "#c8590a",
    "#13805c",
    "#b8327f",
    "#7a5bd0",
    "#8a6d00",
    "#c0392b",
    "#2f8f9d",
    "#5b7f1f",
    "#8c4a2f",
    "#4d5a86",
    "#9a3fb5",
)
"""One for each class of a map; marks differ as well."""
MARKS = "os^DvPX*<>ph"
ROLES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    ACCENT: "accent",
    TINT: "tint",
    SECOND: "second",
    **{colour: f"c{number}" for number, colour in enumerate(CLASSES)},
}
"""Colour to the variable of the style sheet."""
WIDTH = 4.5
"""Inches: two stand side by side on a desk, one is read on a phone without a magnifying glass."""
_SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "font.size": 9.5,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9.5,
}


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws names of others as the text that they are, in the fonts that this machine has."""

    families: tuple[str, ...]
    without: frozenset[str]
    """Letters that no font has."""

    @classmethod
    def of(cls, names: Iterable[str]) -> "Pen":
        """For figures with these names in them."""
        found, without = fonts.families([in_picture(name) for name in names])
        return cls(tuple(found), without)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Draw the same on every machine."""
        with canvas.plain(self.families), mpl.rc_context(_SETTINGS):
            yield

    def name(self, text: str, longest: int = 22) -> str:
        """A name of others, shortened where it would leave no room for the figure."""
        return fonts.drawable(in_picture(text, longest), self.without)


def sheet(height: float, width: float = WIDTH) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def bare(axes: Axes, *, left: bool = True) -> None:
    """Take the lines off that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["left"].set_visible(left)
    axes.tick_params(length=3, width=0.7)
    if not left:
        axes.tick_params(axis="y", length=0)
