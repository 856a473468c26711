"""What several seeds of a system answered, as numbers, and how far one system is from another."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from gensr.estimator.intervals import Matrix
from gensr.estimator.metrics import METRICS, Numbers
from gensr.estimator.paired import Paired, difference, holm
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.left_out import left_out

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A system's answers to one question, from every seed."""

    protocol: Protocol
    numbers: Numbers
    """Means over the seeds."""
    per_cluster: Matrix
    """(R, S, C, C) confusion matrices."""

    def as_json(self) -> dict[str, Any]:
        """Its numbers, as `gensr compare --json` has them."""
        return self.numbers.as_json()

    def leaves_out(self) -> str:
        """What its intervals leave out."""
        folds = sum(len(fold.test) > 0 for fold in self.protocol.folds)
        return left_out({"": self.numbers.seeds}, folds)

    @property
    def n(self) -> int:
        """Clips tested."""
        return self.numbers.n

    @property
    def about(self) -> str:
        """The question in a few words."""
        classes = len(self.numbers.classes)
        return f"{self.protocol.name}, {self.protocol.hash}, {classes} classes"

    @property
    def notes(self) -> tuple[str, ...]:
        """What the protocol has to say."""
        return self.protocol.notes()

    def wa(self) -> str:
        """Weighted accuracy in per cent, with its interval."""
        return self._cell("accuracy")

    def uar(self) -> str:
        """Unweighted average recall in per cent, with its interval."""
        return self._cell("uar")

    def over_seeds(self) -> str:
        """Mean and standard deviation of weighted accuracy over the seeds, in per cent."""
        values = [100 * one["accuracy"] for one in self.numbers.by_seed]
        return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else "-"

    def line(self) -> str:
        """What the numbers are of."""
        found, cluster = self.numbers, self.protocol.cluster
        majority = 100 * found.values["majority_baseline"]
        spans = (
            f"95 % intervals over {found.clusters} {cluster}s"
            if found.intervals["accuracy"]
            else f"no intervals: {found.clusters} {cluster}s tested, they need 4"
        )
        return f"n = {found.n}, {found.seeds} seeds, majority class {majority:.1f} %, {spans}"

    def _cell(self, metric: str) -> str:
        """The number, its interval, and those over other clusters: MELD's are of both kinds."""
        found = self.numbers
        cells = [f"{100 * found.values[metric]:.1f}{_ends(found.intervals[metric])}"]
        cells += [
            f"{other.cluster}s{_ends(other.intervals[metric])}"
            for other in found.also
            if other.intervals[metric]
        ]
        return "; ".join(cells)


def _ends(span: tuple[float, float] | None) -> str:
    return f" [{100 * span[0]:.1f}, {100 * span[1]:.1f}]" if span else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """A paired difference of weighted accuracy, among others."""

    paired: Paired
    holm: float
    """Its p, corrected for the others of its table."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**self.paired.as_json(), "p_holm": self.holm}

    def detectable(self) -> str:
        """The true difference, in points, that the test would find four times in five."""
        least = self.paired.detectable
        return "none" if least is None else f"{100 * least:.1f}"

    def told(self) -> str:
        """In points, with interval and p."""
        one = self.paired
        ends = "" if one.low is None else f" [{100 * one.low:+.1f}, {100 * (one.high or 0):+.1f}]"
        return f"{100 * one.value:+.1f}{ends}; {self.holm:.3g}"


def measured(
    runs: Sequence[Run], answers: Sequence[Sequence[Prediction]] | None = None
) -> Measured:
    """The numbers of a system.

    Args:
        runs: one for each seed, of one question.
        answers: of each run, in place of its own: those of another number of steps.

    Raises:
        RunError: two of them answered other clips.
    """
    protocol = runs[0].protocol
    given = [run.predictions() for run in runs] if answers is None else answers
    counted = count(given, protocol)
    return Measured(
        protocol=protocol,
        numbers=counted.numbers(),
        per_cluster=counted.matrices(counted.clusterings()[protocol.cluster]),
    )


def versus_all(
    one: Measured, others: Mapping[K, Measured], *, forward: bool = True
) -> dict[K, Versus]:
    """The difference of weighted accuracy between one system and each of the others.

    Args:
        one: the system.
        others: its rivals, by any key.
        forward: the system less its rival; else the rival less the system.
    """
    metric = METRICS["accuracy"]
    pairs = {
        key: (one.per_cluster, other.per_cluster)
        if forward
        else (other.per_cluster, one.per_cluster)
        for key, other in others.items()
    }
    found = {key: difference(metric, a, b, rivals=len(pairs)) for key, (a, b) in pairs.items()}
    corrected = holm([each.p for each in found.values()])
    return {
        key: Versus(paired=each, holm=p)
        for (key, each), p in zip(found.items(), corrected, strict=True)
    }
