"""Everything a report shows, as plain values: nothing here is read from a run, nothing drawn.

Shares are in [0, 1]; the page prints them in per cent. A part that cannot be shown is a `Missing`,
which says why: nothing is absent in silence.

Shapes: S seeds, n tested clips, C classes, L width, N sampling steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a part of the report is not there."""

    why: str
    """One line."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval."""

    value: float
    low: float | None = None
    """None, as `high`, where there is no interval."""
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One of several that stand side by side."""

    name: str
    estimate: Estimate
    n: int
    """Clips that it is of."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A system less the first one, over the same clips; in [-1, 1]."""

    value: float
    low: float | None
    """None, as `high`, where there are too few speakers for an interval."""
    high: float | None
    p: float
    """Of the test that swaps the two within speakers, corrected for the number of rivals."""
    detectable: float | None
    """The difference that this test finds four times in five; None where it can find none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRow:
    """One system in the table."""

    name: str
    model: str
    encoder: str
    seeds: tuple[int, ...]
    estimates: dict[str, Estimate]
    """By metric: accuracy, uar, macro_f1, weighted_f1, and other packages' own."""
    over_folds: tuple[float, float] | None
    """Mean and standard deviation of the folds' accuracies; None for one fold."""
    over_seeds: tuple[float, float] | None
    """The same of the seeds' accuracies; None for one seed."""
    difference: Difference | None
    """In accuracy, to the first system; None for that one, and where it cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """The systems that answer one question."""

    rows: tuple[SystemRow, ...]
    """The first is what the rest of the report is about."""
    notes: tuple[str, ...]
    """What the table leaves out, one line each; runs that may not stand in it among it."""

    def detectable(self) -> float | None:
        """The largest of the rivals' detectable differences; None where none can be found."""
        found = [row.difference.detectable for row in self.rows if row.difference is not None]
        known = [one for one in found if one is not None]
        return max(known) if found and len(known) == len(found) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What stands first."""

    name: str
    model: str
    encoder: str
    corpora: tuple[str, ...]
    label: str
    accuracy: Estimate
    uar: Estimate
    majority: float
    n: int
    clusters: int
    cluster: str
    """What the intervals are over: speaker, dialogue or clip."""
    speakers: int
    """Tested ones that are known by name; 0 where none is."""
    classes: int
    seeds: tuple[int, ...]
    protocol: str
    protocol_hash: str


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was taken for what."""

    classes: tuple[str, ...]
    counts: Floats
    """(C, C), rows truth; the mean over seeds, so perhaps no whole numbers."""

    def shares(self) -> Floats:
        """Each row over its sum: recall on the diagonal; a class without clips is a row of 0."""
        rows = self.counts.sum(1, keepdims=True)
        shares: Floats = np.divide(
            self.counts, rows, out=np.zeros_like(self.counts), where=rows > 0
        )
        return shares

    def commonest(self, most: int = 5) -> list[tuple[str, str, float, float]]:
        """Truth, answer, clips and clips of the truth: where most clips go wrong."""
        wrong = self.counts * (1 - np.eye(len(self.classes)))
        of = self.counts.sum(1)
        pairs = np.argwhere(wrong > 0).tolist()
        pairs.sort(key=lambda pair: -wrong[pair[0], pair[1]])
        return [
            (self.classes[i], self.classes[j], float(wrong[i, j]), float(of[i]))
            for i, j in pairs[:most]
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Numbers against the number of sampling steps."""

    N: tuple[int, ...]
    accuracy: tuple[Estimate, ...]
    uar: tuple[Estimate, ...]
    sampler: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """What a linear probe hears in each layer of the encoder, one layer at a time."""

    bars: tuple[Bar, ...]
    """From the first to x1."""
    used: frozenset[str]
    """Layers that the model reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether the probabilities mean what they say."""

    numbers: tuple[tuple[str, str, str], ...]
    """Name, value and what it is in a few words."""
    bins: tuple[tuple[float, float, float, float, int], ...]
    """Lower and upper end, mean confidence, accuracy, clips; no empty bin."""
    curve: tuple[tuple[float, float, float], ...]
    """Coverage, risk, and the least confidence that is answered; coverage rising."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Accuracy by the values of one column."""

    column: str
    bars: tuple[Bar, ...]
    gap: Estimate
    """The best less the worst."""
    between: tuple[str, str]
    """Names of the best and the worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of what was found in the corpus and the splits."""

    kind: str
    """`leak`, `overlap`, `shortcut`, ..."""
    weight: str
    """`fatal`, `warning` or `note`."""
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """How well the label follows from one column alone."""

    bar: Bar
    flagged: bool
    """Whether by more than the margin of whoever looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What was looked for when the run was trained."""

    found: tuple[Check, ...]
    """The gravest first."""
    shortcuts: tuple[Shortcut, ...]
    """Every column that was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Mean state of the tested clips of one class at each time."""

    name: str
    clips: int
    times: Floats
    """(N+1,), from T down."""
    states: Floats
    """(N+1, L)."""
    code: Floats
    """(L,)."""

    def cosines(self) -> Floats:
        """(N+1,): of each state with the code."""
        norms = np.linalg.norm(self.states, axis=1) * np.linalg.norm(self.code)
        dots = self.states @ self.code
        cosines: Floats = np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0)
        return cosines


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """Tested clips before and after transport, in two dimensions."""

    classes: tuple[str, ...]
    paths: tuple[str, ...]
    labels: NDArray[np.int64]
    """(n,)."""
    before: Floats
    """(n, 2)."""
    after: Floats
    """(n, 2)."""
    method: str
    """In words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """A clip that was taken for another class with great confidence."""

    path: str
    label: str
    predicted: str
    confidence: float
    """In the wrong class."""
    p_label: float
    """In the right one."""
    speaker: str
    corpus: str
    audio: bytes | None
    """A WAV of 16 bits at 16 kHz; None where it cannot be heard here."""
    silent: str
    """Why it cannot; empty where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole report."""

    headline: Headline
    alerts: tuple[str, ...]
    """Leaks, which come before everything."""
    systems: Systems
    confusion: Confusion
    by_class: tuple[Bar, ...]
    by_speaker: tuple[Bar, ...] | Missing
    layers: Layers | Missing
    steps: Steps | Missing
    calibration: Calibration | Missing
    groups: tuple[Group, ...] | Missing
    groups_missing: tuple[str, ...]
    """Columns that are asked for and cannot be told apart, each with its reason."""
    checks: Checks | Missing
    ways: tuple[Way, ...] | Missing
    map: Map | Missing
    errors: tuple[Error, ...]
    errors_note: str
    protocol: tuple[tuple[str, str], ...]
    """Names and values."""
    notes: tuple[str, ...]
    """What a reader of the results should know."""
    provenance: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    """That make it again."""
