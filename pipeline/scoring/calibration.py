"""Whether a run's probabilities mean what they say: before and after its temperature.

Every number is that of the answers to test clips. The temperature of each fold was fitted on the
answers of its development part, by a model that had learnt from neither (`runs/dev.py`). Intervals
leave out one speaker at a time, from all folds and seeds at once, and hold the seeds' variance.

Shapes: R seeds, n clips, C classes, S clusters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.calibration import (
    BINS,
    FLOOR,
    Bin,
    brier_scores,
    ece,
    ece_by_chance,
    equal_mass,
    equal_width,
    jackknife_t,
    log_losses,
    reliability,
    risk_coverage,
    with_temperature,
)
from gensr.estimator.errors import ConfigError
from gensr.estimator.intervals import MIN_CLUSTERS, interval
from gensr.estimator.metrics import accuracy
from gensr.pipeline.runs.dev import Temperature
from gensr.pipeline.scoring.answered import Answered

Floats = NDArray[np.float64]
Some = NDArray[np.bool_]
Measure = Callable[[Some], Floats]
"""Which clips (n,) -> a number of every seed, (R,)."""
_COVERED = ("brier", "log_loss", "aurc")
"""Numbers whose interval over speakers covers them (docs/calibration.md)."""
Span = tuple[float, float] | None
"""A 95 % interval over clusters; None below four of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """What probabilities are worth, of all tested clips."""

    values: dict[str, float]
    """`ece`, `ece_mass` (bins of equally many clips), `brier`, `log_loss`, `aurc`; of several
    seeds, means."""
    intervals: dict[str, Span]
    """Of those that an interval covers: none of ECE, which a speaker less makes larger."""
    chance: dict[str, float]
    """What `ece` and `ece_mass` are in the mean if every confidence is true."""
    bins: tuple[Bin, ...]
    """The reliability diagram, `BINS` equally wide; seeds pooled."""
    coverage: tuple[float, ...]
    """The share of clips that is answered, of the risk-coverage curve: at most a hundred points."""
    risk: tuple[float, ...]
    """The share of those that is answered wrong."""
    threshold: tuple[float, ...]
    """The confidence from which on they are answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """What becomes of a system that answers only where it is sure."""

    below: float
    """Clips whose confidence is below are refused."""
    answered: int
    """Clips; of several seeds, the mean, rounded."""
    coverage: float
    """Share that is answered."""
    coverage_interval: Span
    accuracy: float | None
    """Of the answered; None where none is."""
    accuracy_interval: Span
    calibrated: bool
    """Whether the confidence is that after the temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The calibration of one system."""

    raw: Reliability
    """Of the probabilities as they were answered."""
    scaled: Reliability | None
    """After each fold's temperature; None without dev scores."""
    change: dict[str, tuple[float, Span]]
    """What the temperature adds to each value, paired, with an interval; below 0 it helps."""
    temperatures: tuple[dict[str, Temperature], ...]
    """Of each seed, by fold; empty without dev scores."""
    lacks: str
    """Why there is no temperature; empty where there is."""
    rejection: Rejection | None
    """Where it was asked for."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {"bins": BINS, "floor": FLOOR, **asdict(self)}


def calibration(
    found: Answered,
    temperatures: Sequence[Mapping[str, Temperature]],
    *,
    reject_below: float | None = None,
) -> Calibration | None:
    """The calibration of a system; None where its answers came without probabilities.

    Args:
        found: its tested clips.
        temperatures: of each seed, by fold; empty where nothing was kept.
        reject_below: a confidence from 0 to 1.

    Raises:
        ConfigError: `reject_below` is no confidence.
    """
    check_confidence(reject_below)
    if found.p is None:
        return None
    lacks = _lacks(found, temperatures)
    raw, scaled = _of(found, found.p), None
    p, change = found.p, dict[str, tuple[float, Span]]()
    if not lacks:
        p = _scaled(found, found.p, temperatures)
        scaled = _of(found, p)
        change = _change(found, found.p, p)
    return Calibration(
        raw=raw,
        scaled=scaled,
        change=change,
        temperatures=() if lacks else tuple(map(dict, temperatures)),
        lacks=lacks,
        rejection=None if reject_below is None else _rejection(found, p, reject_below, not lacks),
    )


def check_confidence(reject_below: float | None) -> None:
    """Refuse what is no confidence.

    Raises:
        ConfigError: saying so.
    """
    if reject_below is not None and not 0 <= reject_below <= 1:
        raise ConfigError(f"--reject-below takes a confidence from 0 to 1; found {reject_below}")


def _lacks(found: Answered, temperatures: Sequence[Mapping[str, Temperature]]) -> str:
    if not any(temperatures) or len(temperatures) != found.seeds:
        return "no dev scores; `gensr train --calibrate` keeps them"
    for fitted in temperatures:
        if missing := {*found.folds.tolist()} - {*fitted}:
            return f"no dev scores of fold {', '.join(sorted(missing))}"
    return ""


def _scaled(
    found: Answered, p: Floats, temperatures: Sequence[Mapping[str, Temperature]]
) -> Floats:
    """Every answer by the temperature of the model that gave it."""
    scaled = []
    for one, fitted in zip(p, temperatures, strict=True):
        each = [fitted[fold] for fold in found.folds.tolist()]
        T, doubt = (
            np.array(of) for of in zip(*((e.temperature, e.doubt) for e in each), strict=True)
        )
        scaled.append(with_temperature(one, T, doubt))
    return np.stack(scaled)


def _measures(found: Answered, p: Floats) -> dict[str, Measure]:
    """Each number of every seed, (R,), as a function of which clips (n,) count."""
    seeds = range(found.seeds)
    sure, right, truth = p.max(-1), found.right, found.truth
    brier = np.stack([brier_scores(p[s], truth) for s in seeds])  # (R, n)
    losses = np.stack([log_losses(p[s], truth) for s in seeds])

    def each(measure: Callable[[Floats, Some], float]) -> Measure:
        return lambda some: np.array([measure(sure[s, some], right[s, some]) for s in seeds])

    return {
        "ece": each(lambda c, r: ece(c, r, equal_width())),
        "ece_mass": each(lambda c, r: ece(c, r, equal_mass(c))),
        "brier": lambda some: np.asarray(brier[:, some].mean(1)),
        "log_loss": lambda some: np.asarray(losses[:, some].mean(1)),
        "aurc": each(lambda c, r: risk_coverage(c, r)[3]),
    }


def _of(found: Answered, p: Floats) -> Reliability:
    everything = np.ones(len(found.rows), bool)
    measures = _measures(found, p)
    sure, right = p.max(-1).ravel(), found.right.ravel()
    thresholds, coverage, risk, _ = risk_coverage(sure, right)
    few = np.unique(np.linspace(0, len(risk) - 1, 100).round().astype(int))
    return Reliability(
        values={name: float(measure(everything).mean()) for name, measure in measures.items()},
        intervals={name: _from_zero(_interval(found, measures[name])) for name in _COVERED},
        chance=_chance(p.max(-1)),
        bins=tuple(reliability(sure, right, equal_width())),
        coverage=tuple(coverage[few].tolist()),
        risk=tuple(risk[few].tolist()),
        threshold=tuple(thresholds[few].tolist()),
    )


def _chance(sure: Floats) -> dict[str, float]:
    """What ECE is in the mean of a perfect model, by the confidences (R, n)."""
    return {
        "ece": float(np.mean([ece_by_chance(one, equal_width()) for one in sure])),
        "ece_mass": float(np.mean([ece_by_chance(one, equal_mass(one)) for one in sure])),
    }


def _change(found: Answered, before: Floats, after: Floats) -> dict[str, tuple[float, Span]]:
    """After less before: the same speakers are left out of both at once."""
    one, other = _measures(found, before), _measures(found, after)
    everything = np.ones(len(found.rows), bool)
    result = {}
    for name in one:

        def gain(some: Some, name: str = name) -> Floats:
            return other[name](some) - one[name](some)

        span = _interval(found, gain) if name in _COVERED else None
        result[name] = float(gain(everything).mean()), span
    return result


def _interval(found: Answered, measure: Measure) -> Span:
    """By leaving out one cluster at a time, with Student's t; the seeds' variance added."""
    clusters = found.clusters
    names = np.unique(clusters)
    if len(names) < MIN_CLUSTERS:
        return None
    whole = measure(np.ones(len(found.rows), bool))  # (R,)
    without = np.array([measure(clusters != name) for name in names])  # (S, R)
    return jackknife_t(whole, without)


def _from_zero(span: Span) -> Span:
    """None of these numbers is below 0."""
    return span and (max(0.0, span[0]), span[1])


def _rejection(found: Answered, p: Floats, below: float, scaled: bool) -> Rejection:
    """Both shares have the interval that accuracy has: of clips answered, and answered right."""
    kept = p.max(-1) >= below  # (R, n)
    shares = [_shares(found, np.ones_like(kept), kept), _shares(found, kept, found.right)]
    value = [None if not share.sum() else float(accuracy(share.sum(0))) for share in shares]
    span = [interval(accuracy, share) if len(share) else None for share in shares]
    return Rejection(
        below=below,
        answered=round(kept.sum() / found.seeds),
        coverage=value[0] or 0.0,
        coverage_interval=span[0],
        accuracy=value[1],
        accuracy_interval=span[1],
        calibrated=scaled,
    )


def _shares(found: Answered, counted: Some, hit: Some) -> Floats:
    """(S', 2, 2): of the clips counted of each cluster, those that hit and those that miss."""
    names, cluster = np.unique(found.clusters, return_inverse=True)
    shares = np.zeros((len(names), 2, 2))
    for column, which in enumerate((counted & hit, counted & ~hit)):
        np.add.at(shares[:, 0, column], cluster, which.mean(0))
    there: Floats = shares[shares.sum((-2, -1)) > 0]
    return there
