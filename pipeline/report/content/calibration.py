"""Whether a system's probabilities mean what they say: reliability, and risk against coverage."""

from gensr.estimator.calibration import BINS, FLOOR
from gensr.pipeline.report.content.data import Calibration, Missing
from gensr.pipeline.runs.dev import temperatures, told_temperatures
from gensr.pipeline.scoring.calibration import Calibration as Scored
from gensr.pipeline.scoring.calibration import Reliability
from gensr.pipeline.scoring.calibration import calibration as scored
from gensr.pipeline.scoring.systems import System

_TOLD = (
    ("ece", "ECE", f"share that confidence and accuracy are apart, {BINS} bins"),
    ("brier", "Brier", "squared error of the probabilities, 0 to 2"),
    ("log_loss", "log-loss", f"nats; a probability counts as {FLOOR:g} at least"),
)


def calibration(system: System) -> Calibration | Missing:
    """How well the probabilities of a system fit its answers, over all seeds."""
    found = scored(system.answers, [temperatures(run) for run in system.runs])
    if found is None:
        return Missing("The answers came without a probability for each class.")
    raw = found.raw
    return Calibration(
        numbers=(
            *(
                (called, _told(raw, name), about + _by_chance(raw, name))
                for name, called, about in _TOLD
            ),
            ("temperature", *_temperature(found)),
        ),
        bins=tuple(
            (each.low, each.high, each.confidence, each.accuracy, each.n)
            for each in raw.bins
            if each.n
        ),
        curve=tuple(zip(raw.coverage, raw.risk, raw.threshold, strict=True)),
    )


def _told(found: Reliability, name: str) -> str:
    span = found.intervals.get(name)
    ends = f" [{span[0]:.3f}, {span[1]:.3f}]" if span else ""
    return f"{found.values[name]:.3f}{ends}"


def _by_chance(found: Reliability, name: str) -> str:
    """What the number would be of a model whose every confidence is true, where that is not 0."""
    chance = found.chance.get(name)
    return "" if chance is None else f"; {chance:.3f} if every confidence were true"


def _temperature(found: Scored) -> tuple[str, str]:
    """What calibrating would change, and the range of temperatures and doubts of the folds."""
    if found.scaled is None:
        return "–", found.lacks.replace("`", "")
    told = told_temperatures(one for folds in found.temperatures for one in folds.values())
    less, span = found.change["log_loss"]
    ends = f" [{span[0]:+.3f}, {span[1]:+.3f}]" if span else ""
    return told, f"of the folds; log-loss {less:+.3f}{ends}"
