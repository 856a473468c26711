"""The models of a run beside the vectors they were trained on, to ask them again."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.model import Generative
from gensr.estimator.precision import computing
from gensr.estimator.resident import Resident
from gensr.features.store.where import Location, located
from gensr.pipeline.protocols.protocol import Fold, Protocol, Rows
from gensr.pipeline.runs.models import load_fold
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.training.clips import labelled
from gensr.pipeline.training.predictions import predictions_of, with_people
from gensr.pipeline.training.question import question_of
from gensr.pipeline.training.vectors import open_vectors, prefixes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanTrajectory:
    """The mean way of one class from speech to label, in the space the network works in."""

    name: str
    """The class."""
    clips: int
    """Tested clips that the mean is over."""
    times: NDArray[np.float32]
    """(N+1,) from T to t_eps."""
    states: NDArray[np.float32]
    """(N+1, L): mean state of the tested clips of the class."""
    code: NDArray[np.float32]
    """(L,): x0 of the class."""


Ends = Callable[[Rows], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Rows of a protocol -> (n, L) where their clips begin and (n, L) where they are taken to end."""


class Replay:
    """The models of a run beside the vectors they were trained on; a context manager."""

    def __init__(self, run: Run, stores: Location | Iterable[Location] | None, device: str) -> None:
        config = run.config
        paths = located(config.stores if stores is None else stores)
        prefixes = prefixes_of(run)
        layers = config.layers[:-1]
        known = run.manifest.store_hashes
        vectors = open_vectors(
            paths,
            layers,
            encoder=config.encoder,
            known=known,
            prefixes=prefixes,
            join=run.identity is not None,
        )
        with ExitStack() as opening:
            opening.enter_context(vectors)
            alike = sorted(vectors.hashes) == sorted(known)
            if not alike or (prefixes and list(vectors.hashes) != known):
                raise RunError(
                    f"{run.folder} was trained on other vectors than {', '.join(map(str, paths))} "
                    "hold now; pass the store it was trained on with --store, or train again"
                )
            self._protocol = question_of(run, vectors.table)
            place = pick_device(device)
            vectors.enrol(config.enrol_clips)
            self._table = vectors.table
            self._vectors, self._clips = vectors, labelled(vectors, self._protocol, place)
            self._models: dict[str, Classifier] = {
                name: load_fold(run, name, place)[0] for name in config.folds
            }
            self._opened = opening.pop_all()

    def __enter__(self) -> "Replay":
        return self

    def __exit__(self, kind: type[BaseException] | None, *failed: object) -> None:
        with self._opened:
            if kind is None and not isinstance(self._clips, Resident):
                self._vectors.confirm()

    @property
    def protocol(self) -> Protocol:
        """The question with its training parts, which a run does not keep."""
        return self._protocol

    def tested_classes(self) -> tuple[str, ...]:
        """Names of the classes that a model here is tested on."""
        tested = np.concatenate([fold.test for fold in self._folds()])
        labels = np.unique(self._protocol.labels[tested])
        return tuple(self._protocol.classes[label] for label in labels)

    def ends(self) -> Iterator[tuple[Fold, Ends]]:
        """Each fold of a generative model, and of clips: x1, and what is classified of them."""
        for fold in self._folds():
            model = self._models[fold.name]
            if isinstance(model, Generative):
                yield fold, partial(self._ends, model)

    def _ends(
        self, model: Generative, rows: Rows
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        found = []
        for some in torch.split(torch.from_numpy(rows), 256):
            with torch.inference_mode(), computing(model.device, model.precision):
                x = self._clips.batch(some)
                last = model.end(x)
                found.append((model.standardized(x)[:, -1].float().cpu(), last.float().cpu()))
        x1, x0 = (torch.cat(parts).numpy() for parts in zip(*found, strict=True))
        return x1, x0

    def _folds(self) -> list[Fold]:
        return [fold for fold in self._protocol.folds if fold.name in self._models]

    def predictions(self, **options: Any) -> list[Prediction]:
        """What every fold's model predicts of its test clips."""
        given = [
            given
            for fold in self._protocol.folds
            if fold.name in self._models
            for given in predictions_of(
                self._models[fold.name], fold, self._protocol, self._clips, **options
            )
        ]
        return with_people(given, self._table)

    def trajectory(
        self, sampler: str | None, N: int = 20, *, of: str | None = None
    ) -> MeanTrajectory | None:
        """Mean states of the tested clips of a class, by default the first that is tested.

        Raises:
            ConfigError: `of` is no class of the run, or none of its clips is tested.
        """
        total, count = None, 0
        folds = self._folds()
        labels = self._protocol.labels
        label = self._class(of, labels[np.concatenate([fold.test for fold in folds])])
        for fold in folds:
            model = self._models[fold.name]
            rows = fold.test[labels[fold.test] == label]
            if not isinstance(model, Generative) or not len(rows):
                continue
            # A few at a time: every state is kept, N+1 of them.
            for some in torch.split(torch.from_numpy(rows), 256):
                with torch.inference_mode(), computing(model.device, model.precision):
                    way = model.transport(self._clips.batch(some), sampler=sampler, N=N)
                states = way.states.sum(1).cpu().numpy()
                total = states if total is None else total + states
            count += len(rows)
            times, code = way.times.cpu().numpy(), model.codes[label].cpu().numpy()
        if total is None:
            return None
        return MeanTrajectory(
            name=self._protocol.classes[label],
            clips=count,
            times=times,
            states=(total / count).astype(np.float32),
            code=code,
        )

    def _class(self, asked: str | None, tested: NDArray[np.int64]) -> int:
        """Return the index of a class by its name; of the first tested one without."""
        there = [self._protocol.classes[label] for label in np.unique(tested)]
        if asked is not None and asked not in there:
            raise ConfigError(f"there is no tested class {asked!r}; there are {', '.join(there)}")
        return self._protocol.classes.index(asked or there[0])
