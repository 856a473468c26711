"""One table of systems that answered one question: numbers, and what they are apart.

Every system is compared with one of them, over the same clusters; p is corrected for the number
of rivals. Beside it: what difference could have been found at all, where variance comes from, and
what the intervals leave out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.intervals import MIN_CLUSTERS
from gensr.estimator.metrics import METRICS, Numbers, is_over_classes
from gensr.estimator.paired import Paired, difference, holm
from gensr.estimator.swaps import smallest_p
from gensr.features.store.where import Location
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.compare import Difference, differences
from gensr.pipeline.scoring.left_out import left_out
from gensr.pipeline.scoring.systems import System, systems_of

LEVEL = 0.05
"""At which a difference counts, after the correction."""


class IncomparableError(RunError):
    """Systems that answered different questions."""

    def __init__(self, found: tuple[Difference, ...]) -> None:
        super().__init__(found[0].line())
        self.differences = found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A system beside the one that all are compared with."""

    paired: Paired
    """Its difference to it."""
    corrected: float
    """Its p after Holm's correction for all rivals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Systems of one question, in the order given."""

    systems: tuple[System, ...]
    """Rows."""
    numbers: tuple[Numbers, ...]
    """Of each."""
    against: int
    """Which of them the others are compared with."""
    metric: str
    """By what."""
    rivals: dict[str, dict[str, dict[str, Rival]]]
    """Clusters, metric, name of a system: what it is apart. The protocol's clusters come first."""

    @property
    def cluster(self) -> str:
        """What intervals are over."""
        return self.systems[0].protocol.cluster

    @property
    def reference(self) -> System:
        """What all are compared with."""
        return self.systems[self.against]

    def rival(self, system: System, cluster: str | None = None) -> Rival | None:
        """What a system is apart from the reference by the table's metric; None of itself."""
        return self.rivals[cluster or self.cluster][self.metric].get(system.name)

    def notes(self) -> list[str]:
        """What the table's numbers do not say, each once."""
        one, first = self.systems[0], self.numbers[0]
        notes = [*one.protocol.notes()]
        notes += dict.fromkeys(note for each in self.systems for note in each.notes)
        seeds = {each.name: len(each.seeds) for each in self.systems}
        notes.append(left_out(seeds, len(one.folds)))
        if len(self.systems) > 1:
            notes.append(
                f"p: {one.protocol.cluster}s swapped between the two systems "
                f"({self._ways()}), corrected for {len(self.systems) - 1} by Holm; it takes the "
                "trained models as they are"
            )
            least = smallest_p(first.clusters)
            if least * (len(self.systems) - 1) > LEVEL:
                notes.append(
                    f"no difference can reach p = {LEVEL} here: over {first.clusters} "
                    f"{self.cluster}s the least p is {least:.3g}, before the correction"
                )
        if first.clusters < MIN_CLUSTERS:
            notes.append(
                f"no intervals: {first.clusters} {self.cluster}s tested, they need {MIN_CLUSTERS}"
            )
        return notes

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        about = self.systems[0].protocol
        return {
            "comparable": True,
            "protocol": {"hash": about.hash, **about.describe()},
            "against": self.reference.name,
            "metric": self.metric,
            "systems": [
                self._system_json(system, numbers)
                for system, numbers in zip(self.systems, self.numbers, strict=True)
            ],
            "notes": self.notes(),
        }

    def _system_json(self, system: System, numbers: Numbers) -> dict[str, Any]:
        spreads = {
            name: {
                what: {"mean": one.mean, "sd": one.sd, "parts": one.parts}
                for what, one in system.spreads(name).items()
            }
            for name in ("accuracy", "uar")
        }
        return {
            "name": system.name,
            "place": str(system.place),
            "seeds": list(system.seeds),
            "folds": list(system.folds),
            **numbers.as_json(),
            "spread": spreads,
            "variance": system.variance().as_json(),
            "differences": {
                cluster: {
                    metric: {
                        **found[system.name].paired.as_json(),
                        "p_holm": found[system.name].corrected,
                    }
                    for metric, found in metrics.items()
                    if system.name in found
                }
                for cluster, metrics in self.rivals.items()
            },
            "notes": list(system.notes),
        }

    def _ways(self) -> str:
        found = [rival.paired for rival in self.rivals[self.cluster][self.metric].values()]
        return "in every way" if all(one.exact for one in found) else "in every way, or 9999 drawn"


def compare(
    places: Sequence[Run | Location], *, against: str | None = None, metric: str = "accuracy"
) -> Table:
    """Systems in one table.

    Args:
        places: runs, sets of runs of several seeds, or folders that `gensr score` wrote.
        against: name of the one that all are compared with; default: the first.
        metric: by which.

    Raises:
        IncomparableError: they answered different questions.
        RunError: one cannot be read, was not tested, or is unfinished.
        ConfigError: no system, or no metric, has that name.
    """
    if metric not in METRICS or metric == "majority_baseline":
        known = [name for name in METRICS if name != "majority_baseline"]
        raise ConfigError(f"--metric takes {', '.join(known)}; found {metric}")
    return tabulate(systems_of(places), against=against, metric=metric)


def tabulate(
    systems: Sequence[System], *, against: str | None = None, metric: str = "accuracy"
) -> Table:
    """Systems that are at hand, in one table; see `compare`."""
    if unlike := differences(systems):
        raise IncomparableError(unlike)
    names = [one.name for one in systems]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"{twice[0]} is given twice; a table takes every system once")
    if against is not None and against not in names:
        by_path = [str(one.place) for one in systems]
        if against not in by_path:
            raise ConfigError(f"--against takes one of {', '.join(names)}; found {against}")
        against = names[by_path.index(against)]
    chosen = names.index(against) if against is not None else 0
    clusterings = list(systems[0].answers.clusterings())
    return Table(
        systems=tuple(systems),
        numbers=tuple(one.answers.numbers() for one in systems),
        against=chosen,
        metric=metric,
        rivals={cluster: _rivals(systems, chosen, cluster) for cluster in clusterings},
    )


def _rivals(systems: Sequence[System], chosen: int, cluster: str) -> dict[str, dict[str, Rival]]:
    """By metric and name, what each system is apart from the chosen one."""
    matrices = [one.answers.matrices(one.answers.clusterings()[cluster]) for one in systems]
    others = [i for i in range(len(systems)) if i != chosen]
    found: dict[str, dict[str, Rival]] = {}
    for name in METRICS:
        if name == "majority_baseline":  # is the same of all
            continue
        pairs = [
            difference(
                METRICS[name],
                matrices[i],
                matrices[chosen],
                by_class=is_over_classes(METRICS[name]),
                rivals=max(1, len(others)),
            )
            for i in others
        ]
        corrected = holm([pair.p for pair in pairs])
        found[name] = {
            systems[i].name: Rival(paired=pair, corrected=p)
            for i, pair, p in zip(others, pairs, corrected, strict=True)
        }
    return found
