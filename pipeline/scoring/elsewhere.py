"""A run's models asked of another store: its own clips under other conditions, or other clips.

    trained to be evaluated    each fold's model answers its own tested clips, as the other store
                               holds them (noisy, by telephone, ...): what is lost is paired
    trained with --fold none   the model answers every labelled clip of the other store; clips
                               that it learnt from are a leak

Vectors are read, never encoded again. The other store must be of the run's encoder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.device import pick_device
from gensr.estimator.errors import RunError
from gensr.estimator.metrics import METRICS, Numbers, is_over_classes
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.paired import Paired, difference
from gensr.features.store.where import Location, located
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.protocols.elsewhere import NAME, elsewhere
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.runs.models import load_deployed, load_fold
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.results import write_result
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.counts import count
from gensr.pipeline.scoring.evaluate import answered, score
from gensr.pipeline.training.predictions import asked, with_people
from gensr.pipeline.training.vectors import Vectors, open_vectors, prefixes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What a run's models answer on another store."""

    run: Path
    store: str
    """Its name, without where it lies."""
    protocol: Protocol
    """What was tested: the run's own question, or a part of it, or one named `elsewhere`."""
    predictions: tuple[Prediction, ...]
    numbers: Numbers
    own: Numbers | None
    """Of the run's own predictions of the same clips; None where it tests none of them."""
    gained: Mapping[str, Paired]
    """By metric: here less there, paired over speakers; empty where there is nothing to pair."""
    notes: tuple[str, ...]
    """What a reader must know, one line each, leaks first."""
    folder: Path
    """Where it was written: `compare` takes it as it takes runs."""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "run": str(self.run),
            "store": self.store,
            "protocol": {"hash": self.protocol.hash, **self.protocol.describe()},
            **self.numbers.as_json(),
            "own": self.own.as_json() if self.own else None,
            "gained": {name: one.as_json() for name, one in self.gained.items()},
            "notes": list(self.notes),
            "folder": str(self.folder),
        }


def is_own(run: Run, stores: Location | Iterable[Location]) -> bool:
    """Whether stores are those that a run was trained on, wherever they lie now.

    Raises:
        StoreError: one cannot be read, or is of another encoder.
    """
    with _opened(run, stores) as vectors:
        return sorted(vectors.hashes) == sorted(run.manifest.store_hashes)


def evaluate_elsewhere(
    run: Run,
    stores: Location | Iterable[Location],
    *,
    device: str = "auto",
    allow_leaks: bool = False,
    progress: Listener | None = None,
) -> Elsewhere:
    """Ask a run's models of another store, and write what they answer into the run's folder.

    Args:
        run: a finished run.
        stores: one, or several as one, of the run's encoder.
        device: that the models are asked on.
        allow_leaks: score clips that a deployed model learnt from; the first note says so.
        progress: told how far it is.

    Raises:
        StoreError: a store cannot be read, or is of another encoder.
        RunError: the run is not finished, or tests nothing that the store holds.
        ProtocolError: the store holds clips that the model learnt from, or none with a label
            that it knows.
    """
    listener, place = progress or Silent(), pick_device(device)
    with _opened(run, stores) as vectors:
        listener.stage("asking", len(vectors))
        if run.config.deployed:
            protocol, given = _other_clips(run, vectors, place, allow_leaks=allow_leaks)
            notes: tuple[str, ...] = protocol.notes()
        else:
            protocol, given, notes = _own_clips(run, vectors, place)
        vectors.confirm()
        listener.advance(len(vectors))
        if run.config.deployed:
            given = _with_people(given, protocol)
        else:
            given = with_people(given, vectors.table)
        called = "+".join(dict.fromkeys(map(_stem, vectors.places)))
    own, gained = (None, {}) if run.config.deployed else _paired(run, protocol, given)
    result = Elsewhere(
        run=run.folder,
        store=called,
        protocol=protocol,
        predictions=tuple(given),
        numbers=score(given, protocol),
        own=own,
        gained=gained,
        notes=(*notes, *vectors.notes),
        folder=run.folder / NAME / called,
    )
    write_result(result.folder, protocol, given, result.as_json())
    return result


def _opened(run: Run, stores: Location | Iterable[Location]) -> Vectors:
    return open_vectors(
        located(stores),
        run.config.layers[:-1],
        encoder=run.config.encoder,
        known=run.manifest.store_hashes,
        prefixes=prefixes_of(run),
        join=run.identity is not None,
    )


def _stem(place: Any) -> str:
    """The name of a store's file or folder, without its suffix."""
    name = str(place).rstrip("/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _named(vectors: Vectors) -> str:
    return ", ".join(map(str, vectors.places))


def _own_clips(
    run: Run, vectors: Vectors, place: torch.device
) -> tuple[Protocol, list[Prediction], tuple[str, ...]]:
    """Each fold's tested clips, by their paths, as these stores hold them."""
    answered(run)
    protocol = run.protocol
    rows = {path: row for row, path in enumerate(vectors.table["path"].tolist())}
    folds = [fold for fold in protocol.folds if fold.name in run.config.folds and len(fold.test)]
    held = [np.array([i for i in fold.test if protocol.paths[i] in rows], int) for fold in folds]
    tested, there = sum(len(fold.test) for fold in folds), sum(map(len, held))
    if not there:
        raise RunError(
            f"{run.folder} tests no clip that {_named(vectors)} holds: its models are for their "
            "own folds; train with --fold none for one model to test on other clips"
        )
    given: list[Prediction] = []
    for fold, clips in zip(folds, held, strict=True):
        if len(clips):
            model = load_fold(run, fold.name, place)[0]
            where = np.array([rows[protocol.paths[i]] for i in clips.tolist()])
            given += _answers(model, vectors, where, protocol, clips, fold)
    if there == tested:
        return protocol, given, ()
    some = [replace(f, test=clips) for f, clips in zip(folds, held, strict=True) if len(clips)]
    note = f"{tested - there} of {tested} tested clips are not in {_named(vectors)}"
    return replace(protocol, folds=tuple(some)), given, (note,)


def _other_clips(
    run: Run, vectors: Vectors, place: torch.device, *, allow_leaks: bool
) -> tuple[Protocol, list[Prediction]]:
    """Every clip with a label that the deployed model knows."""
    model = load_deployed(run, place)[0]
    protocol = elsewhere(run.protocol, vectors.table, _named(vectors), allow_leaks=allow_leaks)
    (fold,) = protocol.folds
    rows = protocol.store_rows[fold.test]
    return protocol, _answers(model, vectors, rows, protocol, fold.test, fold)


def _answers(
    model: Classifier,
    vectors: Vectors,
    rows: NDArray[np.int64],
    protocol: Protocol,
    clips: NDArray[np.int64],
    fold: Fold,
) -> list[Prediction]:
    """What a model predicts of rows of the stores, which are clips of the protocol."""
    given: list[Prediction] = []
    for places, block in vectors.shards(rows):
        given += asked(model, torch.from_numpy(block), fold, clips[places], protocol)
    return given


def _with_people(given: Sequence[Prediction], protocol: Protocol) -> list[Prediction]:
    """The predictions with who speaks in which corpus, as the protocol's own columns have it."""
    row = {path: i for i, path in enumerate(protocol.paths)}
    unknown = ("",) * len(protocol.paths)
    speakers = protocol.columns.get("speaker", unknown)
    corpora = protocol.columns.get("corpus", unknown)
    return [
        replace(one, speaker=speakers[row[one.path]], corpus=corpora[row[one.path]])
        for one in given
    ]


def _paired(
    run: Run, protocol: Protocol, here: Sequence[Prediction]
) -> tuple[Numbers, dict[str, Paired]]:
    """The run's own numbers of the same clips, and what is gained here over them."""
    tested = {given.path for given in here}
    there = [given for given in run.predictions() if given.path in tested]
    a, b = count([here], protocol), count([there], protocol)
    clusters = a.clusterings()[protocol.cluster]
    gained = {
        name: difference(
            METRICS[name],
            a.matrices(clusters),
            b.matrices(clusters),
            by_class=is_over_classes(METRICS[name]),
        )
        for name in METRICS
        if name != "majority_baseline"
    }
    return b.numbers(), gained
