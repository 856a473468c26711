"""What one fold needs to be trained, and what is kept of it."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from gensr.estimator.errors import ConfigError
from gensr.estimator.files import make_folder, write_whole
from gensr.estimator.fitting import MOST, LogEntry, TrainingConfig
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.saved import save_model
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.parallel import Group
from gensr.estimator.seeds import drawing, mix_seed
from gensr.estimator.source import Source
from gensr.pipeline.progress import Listener
from gensr.pipeline.protocols.protocol import Fold, Protocol, Rows
from gensr.pipeline.runs.dev import DEV, DEV_HASH
from gensr.pipeline.runs.models import load_fold
from gensr.pipeline.runs.predictions import Prediction, to_csv
from gensr.pipeline.runs.run import Run
from gensr.pipeline.training.dev import BestLook
from gensr.pipeline.training.predictions import answers_of, as_predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTraining:
    """What all folds of a run have in common."""

    run: Run
    """Whose folds they are."""
    spec: ModelSpec
    clips: Source
    """Every clip of the protocol."""
    budget: TrainingConfig | None
    """None for a model that is not trained by steps."""
    seed: int
    protocol: Protocol
    """The question that they belong to."""
    choose: str
    """`beforehand`, `looks` or `budgets:...`, as `settled` gives it."""
    calibrate: bool
    """Whether answers of the development parts are kept, as in `TrainConfig`."""
    listener: Listener
    group: Group
    """The processes that train together; the first of them writes."""

    def is_done(self, fold: Fold) -> bool:
        """Whether its model is kept."""
        return os.path.lexists(self.run.fold(fold.name) / "model.safetensors")

    def kept(self, fold: Fold) -> Classifier:
        """The model of a fold that is done.

        Raises:
            RunError: it is damaged, or another run's.
        """
        return load_fold(self.run, fold.name, self.clips.device)[0]

    def fresh(self, fold: Fold) -> Classifier:
        """A model to train; its first weights follow from the fold's seed."""
        with drawing(torch.device("cpu"), mix_seed(self.seed_of(fold), "weights", "")):
            return build(self.spec, self.clips.device)

    def seed_of(self, fold: Fold) -> int:
        """The seed of a fold's every draw."""
        return mix_seed(self.seed, "fold", fold.name)

    def chooses(self, fold: Fold) -> bool:
        """Whether the number of its steps is found by looks at its development part."""
        return self.choose == "looks" and len(fold.dev) > 0

    def compared(self, fold: Fold) -> tuple[TrainingConfig, ...]:
        """Budgets that its development part chooses among, each with its own whole schedule."""
        counts = budgets_of(self.choose)
        if not counts or not len(fold.dev):
            return ()
        assert self.budget is not None  # of a model that is trained by steps
        return tuple(replace(self.budget, steps=count) for count in counts)

    def tries(self, fold: Fold) -> bool:
        """Whether a model is first trained without its development part, and asked of it."""
        return self.chooses(fold) or (self.calibrate and len(fold.dev) > 0)

    def best_look(self, fold: Fold) -> BestLook:
        """Where the answers of its development part are kept while the steps are chosen."""
        return BestLook(self.checkpoint(fold, "choose.answers"), self.run.identity)

    def dev_answers(
        self, fold: Fold, model: Classifier, log: Sequence[LogEntry]
    ) -> list[Prediction]:
        """What a model that was tried says of the development part, none where nobody knows.

        Args:
            fold: whose part.
            model: trained on the train part alone.
            log: of that training.
        """
        if not self.group.leads:
            return []
        if self.chooses(fold):
            p = self.best_look(fold).at(chosen_steps(log))
        else:
            p = answers_of(model, fold.dev, self.clips)
        return [] if p is None else as_predictions(p, fold, fold.dev, self.protocol)

    def part(self, rows: Rows, *, alone: bool = False) -> Source:
        """Some of the clips; see `Source.take`."""
        return self.clips.take(torch.from_numpy(rows), alone=alone)

    def checkpoint(self, fold: Fold, phase: str) -> Path:
        """Where a phase of its training is kept while it lasts."""
        folder = self.run.fold(fold.name)
        if self.group.leads:
            make_folder(folder)
        return folder / f"{phase}.checkpoint"

    def keep(
        self,
        fold: Fold,
        model: Classifier,
        lines: Sequence[dict[str, Any]],
        dev: Sequence[Prediction] = (),
    ) -> None:
        """Write a fold's log, the answers of its development part, and its model, the weights last.

        Raises:
            RunError: there is no room, or no permission.
        """
        folder = self.run.fold(fold.name)
        make_folder(folder)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_whole(folder / "metrics.jsonl", text.encode())
        beside = {}
        if dev:
            table = to_csv(self.protocol.classes, dev)
            write_whole(folder / DEV, table)
            beside[DEV_HASH] = hashlib.sha256(table).hexdigest()
        save_model(folder, model, self.spec, self.run.identity, beside)

    def clear(self, fold: Fold) -> None:
        """Remove the checkpoints of a fold."""
        for checkpoint in self.run.fold(fold.name).glob("*.checkpoint*"):
            checkpoint.unlink()


def logged(fold: Fold, phase: str, log: Sequence[LogEntry]) -> list[dict[str, Any]]:
    """The lines of a fold's log, of one phase."""
    return [{"fold": fold.name, "phase": phase, **asdict(entry)} for entry in log]


def settled(choose: str, budget: TrainingConfig | None) -> str:
    """What `dev` is of a budget: a quarter, half and all of its steps, as `budgets:150,300,600`.

    Args:
        choose: as it was asked for; another choice stays.
        budget: of whose steps.

    Raises:
        ConfigError: it has too few steps to choose among.
    """
    if choose != "dev" or budget is None:
        return choose
    counts = sorted({max(1, budget.steps // part) for part in (4, 2, 1)})
    if len(counts) < 2:
        raise ConfigError(f"choose = dev: of {budget.steps} step there is nothing to choose")
    return f"budgets:{','.join(map(str, counts))}"


def budgets_of(choose: str) -> tuple[int, ...]:
    """The numbers of steps of `budgets:200,400`, rising; none of another choice.

    Raises:
        ConfigError: they are not two or more different numbers.
    """
    kind, found, listed = choose.partition(":")
    if kind != "budgets":
        return ()
    try:
        counts = sorted({int(count) for count in listed.split(",")}) if found else []
    except ValueError:
        counts = []
    if len(counts) < 2 or not 1 <= counts[0] <= counts[-1] <= MOST:
        raise ConfigError(
            f"choose = {choose}: give two or more numbers of steps, as budgets:200,400,800"
        )
    return tuple(counts)


def chosen_steps(log: Sequence[LogEntry]) -> int:
    """The steps after which the development part was told apart best; the fewest of equals."""
    return min(log, key=lambda line: (line.dev_loss, line.step)).step
