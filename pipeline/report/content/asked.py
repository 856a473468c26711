"""What the models of a system say when they are asked again, on the vectors they learnt from.

Accuracy against N, the mean ways from x1 to x0, a map of the clips before and after transport,
and what a linear probe hears in each layer of the encoder.

Shapes: n tested clips, K conditioning layers, L width, N steps, C classes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import GensrError
from gensr.estimator.metrics import METRICS
from gensr.estimator.models.model import Generative
from gensr.estimator.models.registry import MODELS
from gensr.features.store.where import Location, located
from gensr.pipeline.progress import Listener
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.report.content.data import Layers, Map, Missing, Steps, Way
from gensr.pipeline.report.content.layers import probe_layers
from gensr.pipeline.report.content.probe import Ridge, polygon
from gensr.pipeline.report.content.statistics import estimate
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.replay import Replay
from gensr.pipeline.scoring.systems import System

MOST_CLASSES = 12
"""That colours and marks tell apart in one picture."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was heard from the models, or why not."""

    steps: Steps | Missing
    ways: tuple[Way, ...] | Missing
    map: Map | Missing
    layers: Layers | Missing


def ask(
    system: System,
    *,
    stores: Location | Iterable[Location] | None,
    steps: Sequence[int],
    device: str,
    listener: Listener,
) -> Asked:
    """Ask the models of a system again.

    A store that is not there is no error where nobody named it: the page says what it lacks.

    Raises:
        GensrError: a store that was named does not fit the run.
    """
    stores = None if stores is None else located(stores)
    try:
        with Replay(system.runs[0], stores, device) as replay:
            protocol = replay.protocol
            if not issubclass(MODELS[system.runs[0].config.model], Generative):
                why = Missing(
                    f"{system.runs[0].config.model} answers at once: it carries no vector from "
                    "speech to a class."
                )
                asked = Asked(why, why, why, why)
            else:
                asked = Asked(
                    _steps(system, replay, stores, steps, device, listener),
                    _ways(replay, protocol),
                    _map(replay, protocol),
                    Missing(""),
                )
        layers = probe_layers(system, protocol, stores, listener)
    except GensrError as error:
        if stores is not None:
            raise
        why = Missing(f"The vectors of this run cannot be had: {error}.")
        return Asked(why, why, why, why)
    return Asked(asked.steps, asked.ways, asked.map, layers)


def _steps(
    system: System,
    first: Replay,
    stores: Sequence[Location] | None,
    steps: Sequence[int],
    device: str,
    listener: Listener,
) -> Steps | Missing:
    """Every seed at every N; the first run's models and vectors are at hand already."""
    if not steps:
        return Missing("No number of steps was asked for.")
    listener.stage("sampling", sum(steps) * len(system.runs))
    answers: dict[int, list[NDArray[np.int64]]] = {N: [] for N in steps}
    for run in system.runs:
        if run is system.runs[0]:
            _sweep(system, run, first, answers, listener)
        else:
            with Replay(run, stores, device) as replay:
                _sweep(system, run, replay, answers, listener)
    counts = {
        N: replace(system.answers, predicted=np.stack(found), p=None).matrices()
        for N, found in answers.items()
    }
    by_metric = {
        name: tuple(estimate(METRICS[name], counts[N]) for N in steps)
        for name in ("accuracy", "uar")
    }
    sampler = str(system.runs[0].config.options.get("sampler") or "its own")
    return Steps(N=tuple(steps), sampler=sampler, **by_metric)


def _sweep(
    system: System,
    run: Run,
    replay: Replay,
    answers: dict[int, list[NDArray[np.int64]]],
    listener: Listener,
) -> None:
    index = {name: i for i, name in enumerate(system.protocol.classes)}
    sampler = run.config.options.get("sampler")
    for N, found in answers.items():
        given = {one.path: one.predicted for one in replay.predictions(sampler=sampler, N=N)}
        paths = (system.protocol.paths[row] for row in system.answers.rows)
        found.append(np.array([index[given[path]] for path in paths], np.int64))
        listener.advance(N)


def _ways(replay: Replay, protocol: Protocol) -> tuple[Way, ...] | Missing:
    if len(protocol.classes) > MOST_CLASSES:
        return Missing(f"{len(protocol.classes)} classes are more than a page shows a way for.")
    ways = []
    for name in replay.tested_classes():
        way = replay.trajectory(None, of=name)
        if way is not None:
            times, states, code = (
                np.asarray(part, np.float64) for part in (way.times, way.states, way.code)
            )
            ways.append(Way(name=name, clips=way.clips, times=times, states=states, code=code))
    return tuple(ways) or Missing("No model of this run carries vectors.")


def _map(replay: Replay, protocol: Protocol) -> Map | Missing:
    """Both sides by one method: what a linear map, fitted to training clips, makes of tested ones.

    Principal components would not do: of x1 they show the sentences, and the codes of C classes
    are C corners of a simplex, of which two components show three.
    """
    C = len(protocol.classes)
    if not 3 <= C <= MOST_CLASSES:
        return Missing(f"A map has a corner for each of 3 to {MOST_CLASSES} classes; here are {C}.")
    corners = polygon(C)
    rows, before, after = [], [], []
    for fold, ends in replay.ends():
        (x1, x0), (x1_learnt, x0_learnt) = ends(fold.test), ends(fold.learn)
        aims = corners[protocol.labels[fold.learn]]
        before.append(Ridge(x1_learnt, aims)(x1))
        after.append(Ridge(x0_learnt, aims)(x0))
        rows.append(fold.test)
    if not rows:
        return Missing("No model of this run carries vectors.")
    found = np.concatenate(rows)
    order = np.argsort(found)
    return Map(
        classes=protocol.classes,
        paths=tuple(protocol.paths[row] for row in found[order]),
        labels=protocol.labels[found[order]],
        before=np.concatenate(before)[order],
        after=np.concatenate(after)[order],
        method=(
            "The same for both: a linear map (ridge regression, its penalty chosen by "
            "leave-one-out) from the vectors of each fold's training clips to the corners of a "
            "regular polygon, one for each class, applied to the fold's tested clips"
        ),
    )
