"""A run asked of stores that it was not trained on: the same clips made worse, or other corpora.

Vectors are read as they are stored, nothing is encoded. What is asked is in `asked.py`; the answers
are scored as a run's own are, with intervals over the speakers of the other store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError
from gensr.estimator.metrics import Numbers, numbers
from gensr.estimator.resident import Resident
from gensr.features.store.where import Location, Where, each, located
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.runs.asides import write_aside
from gensr.pipeline.runs.lock import check_idle
from gensr.pipeline.runs.models import load_deployed, load_fold
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.asked import any_clips, same_clips
from gensr.pipeline.scoring.drop import drops
from gensr.pipeline.scoring.evaluate import answered, score
from gensr.pipeline.scoring.evaluation import parts_of
from gensr.pipeline.training.clips import clips_at
from gensr.pipeline.training.enrolment import note_of
from gensr.pipeline.training.predictions import predictions_of
from gensr.pipeline.training.vectors import Vectors, open_vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What came of asking a run of another store."""

    run: Path
    model: str
    options: Mapping[str, Any] = field(repr=False)
    """Settings of the model, as the run keeps them."""
    store: str
    """As it was given."""
    perturb: str
    """What was done to its clips before they were encoded, as `noise:20dB`; empty for nothing."""
    protocol: Protocol
    """What was asked; it says what was left out, and leaks first."""
    numbers: Numbers
    """Over all clips that were asked."""
    by_corpus: Mapping[str, Numbers]
    """Of each corpus, where there are several."""
    own: Numbers | None
    """The run's own, on the same clips; None where it had been asked of none."""
    drop: Mapping[str, Any]
    """By metric, the numbers less the run's own, paired over speakers (`paired.Paired`)."""
    predictions: tuple[Prediction, ...] = field(repr=False)
    enrol_clips: int = 0
    """By how many clips of theirs speakers were enrolled."""

    @property
    def enrolled(self) -> list[str]:
        """What a reader must know of that; nothing where nobody was."""
        note = note_of(self.enrol_clips)
        return [note] if note else []

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "run": str(self.run),
            "model": self.model,
            **parts_of(self.options),
            "store": self.store,
            "perturb": self.perturb,
            **self.numbers.as_json(),
            "protocol": {"hash": self.protocol.hash, **self.protocol.describe()},
            "notes": [*self.protocol.notes(), *self.enrolled],
            "enrol_clips": self.enrol_clips,
            "by_corpus": {name: found.as_json() for name, found in self.by_corpus.items()},
            "own": None if self.own is None else self.own.as_json(),
            "drop": {name: asdict(found) for name, found in self.drop.items()},
        }

    def keep(self) -> None:
        """Write it into the run's folder, beside what the run itself says.

        Raises:
            RunError: the run was replaced meanwhile, or its folder cannot be written.
        """
        name = Path(self.store).name
        write_aside(Run(self.run), name, self.protocol, self.predictions, self.as_json())


def other_stores(run: Run, stores: Iterable[Location]) -> tuple[Where, ...]:
    """Those of the stores that a run was not trained on, by what they hold.

    Raises:
        StoreError: one cannot be read, or is of another encoder than the run.
    """
    others = []
    for place in located(stores):
        with _opened(run, place) as vectors:
            if vectors.hashes[0] not in run.manifest.store_hashes:
                others.append(place)
    return tuple(others)


def evaluate_elsewhere(
    run: Run | Location,
    stores: Location | Iterable[Location],
    *,
    allow_leaks: bool = False,
    device: str = "auto",
    progress: Listener | None = None,
) -> list[Elsewhere]:
    """Ask a run of stores that it was not trained on, each by itself.

    Args:
        run: finished, or its folder. Models of folds are asked of the clips that each tests; one
            that learnt from every clip is asked of every clip whose label it knows.
        stores: one or several, of the run's encoder.
        allow_leaks: ask a model also of clips that it learnt from, and say so first.
        device: `auto`, `cpu`, `cuda`, `cuda:N`.
        progress: told of a stage `asking`, in clips.

    Raises:
        RunError: the run is unfinished or damaged, or cannot be asked of a store.
        StoreError: a store cannot be read, or is of another encoder.
        ConfigError: two stores have one name.
    """
    run, places = Run.of(run), located(stores)
    names = [place.name for place in places]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two stores are called {twice}, which names what is kept of each")
    check_idle(run.folder)
    own = [] if run.config.deployed else answered(run)
    listener = progress or Silent()
    asked = []
    for place in places:  # all are found fit before any is asked
        with _opened(run, place) as vectors:
            asked.append(_question(run, vectors, allow_leaks=allow_leaks))
    found = []
    for place, protocol in zip(places, asked, strict=True):
        listener.stage("asking", sum(len(fold.test) for fold in protocol.folds))
        with _opened(run, place) as vectors:
            given = _answers(run, protocol, vectors, pick_device(device), listener)
            found.append(_result(run, place, protocol, vectors, given, own))
    return found


def evaluate_all_elsewhere(
    runs: Iterable[Run | Location], stores: Iterable[Location], **options: Any
) -> list[Elsewhere]:
    """Ask several runs, one after the other; see `evaluate_elsewhere`."""
    return [one for run in each(runs) for one in evaluate_elsewhere(run, stores, **options)]


def _opened(run: Run, place: Where) -> Vectors:
    """A store, which must be of the run's encoder."""
    return open_vectors(
        place,
        run.config.layers[:-1],
        encoder=run.config.encoder,
        known=run.manifest.store_hashes,
        join=run.identity is not None,
    )


def _question(run: Run, vectors: Vectors, *, allow_leaks: bool) -> Protocol:
    if run.config.deployed:
        return any_clips(run, vectors, allow_leaks=allow_leaks)
    return same_clips(run, vectors)


def _answers(
    run: Run, protocol: Protocol, vectors: Vectors, device: torch.device, listener: Listener
) -> list[Prediction]:
    """What every fold's model says of the clips that it is asked of, with who speaks."""
    folds = [fold for fold in protocol.folds if len(fold.test)]
    count = sum(len(fold.test) for fold in folds)  # they are the first of the protocol
    rows = protocol.store_rows[:count]
    vectors.enrol(run.config.enrol_clips)
    clips = clips_at(vectors, rows, protocol.labels[:count], device)
    given: list[Prediction] = []
    for fold in folds:
        deployed = run.config.deployed
        model, _ = load_deployed(run, device) if deployed else load_fold(run, fold.name, device)
        given += predictions_of(model, fold, protocol, clips)
        listener.advance(len(fold.test))
    if not isinstance(clips, Resident):
        vectors.confirm()
    speakers, corpora = (vectors.table[name] for name in ("speaker", "corpus"))
    row_of = dict(zip(protocol.paths[:count], rows.tolist(), strict=True))
    return [
        replace(
            one,
            speaker=str(speakers[row_of[one.path]]),
            corpus=str(corpora[row_of[one.path]]),
        )
        for one in given
    ]


def _result(
    run: Run,
    place: Where,
    protocol: Protocol,
    vectors: Vectors,
    given: Sequence[Prediction],
    own: Sequence[Prediction],
) -> Elsewhere:
    asked = {(one.path, one.fold) for one in given}
    alike = [one for one in own if (one.path, one.fold) in asked]
    return Elsewhere(
        run=run.folder,
        model=run.config.model,
        options=run.config.options,
        store=str(place),
        perturb=vectors.perturbed[0],
        protocol=protocol,
        numbers=score(given, protocol),
        by_corpus=_by_corpus(given, protocol),
        own=score(alike, protocol) if alike else None,
        drop=drops(given, alike, protocol) if alike else {},
        predictions=tuple(given),
        enrol_clips=run.config.enrol_clips,
    )


def _by_corpus(given: Sequence[Prediction], protocol: Protocol) -> dict[str, Numbers]:
    """The numbers of each corpus, where there are several."""
    corpora = np.array([one.corpus for one in given])
    if len(set(corpora.tolist())) < 2:
        return {}
    rows = {(protocol.paths[row], fold.name): row for fold in protocol.folds for row in fold.test}
    index = {name: i for i, name in enumerate(protocol.classes)}
    result = {}
    for corpus in sorted(set(corpora.tolist())):
        some = [one for one in given if one.corpus == corpus]
        mine = [rows[one.path, one.fold] for one in some]
        result[corpus] = numbers(
            protocol.labels[mine].tolist(),
            [index[one.predicted] for one in some],
            [protocol.clusters[row] for row in mine],
            protocol.classes,
        )
    return result
