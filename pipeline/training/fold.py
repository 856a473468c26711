"""What one fold needs to be trained, and what is kept of it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from gensr.estimator.files import make_folder, write_whole
from gensr.estimator.fitting import LogEntry, TrainingConfig
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.saved import save_model
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.parallel import Group
from gensr.estimator.seeds import drawing, mix_seed
from gensr.estimator.source import Source
from gensr.pipeline.progress import Listener
from gensr.pipeline.protocols.protocol import Fold, Rows
from gensr.pipeline.runs.models import load_fold
from gensr.pipeline.runs.run import Run


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
    choose: str
    """`beforehand` or `dev`, as in `TrainConfig`."""
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
        """Whether the number of its steps is found on its development part."""
        return self.choose == "dev" and len(fold.dev) > 0

    def part(self, rows: Rows, *, alone: bool = False) -> Source:
        """Some of the clips; see `Source.take`."""
        return self.clips.take(torch.from_numpy(rows), alone=alone)

    def checkpoint(self, fold: Fold, phase: str) -> Path:
        """Where a phase of its training is kept while it lasts."""
        folder = self.run.fold(fold.name)
        if self.group.leads:
            make_folder(folder)
        return folder / f"{phase}.checkpoint"

    def keep(self, fold: Fold, model: Classifier, lines: Sequence[dict[str, Any]]) -> None:
        """Write a fold's log and its model, the weights last.

        Raises:
            RunError: there is no room, or no permission.
        """
        folder = self.run.fold(fold.name)
        make_folder(folder)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_whole(folder / "metrics.jsonl", text.encode())
        save_model(folder, model, self.spec, self.run.identity)

    def clear(self, fold: Fold) -> None:
        """Remove the checkpoints of a fold."""
        for checkpoint in self.run.fold(fold.name).glob("*.checkpoint*"):
            checkpoint.unlink()


def logged(fold: Fold, phase: str, log: Sequence[LogEntry]) -> list[dict[str, Any]]:
    """The lines of a fold's log, of one phase."""
    return [{"fold": fold.name, "phase": phase, **asdict(entry)} for entry in log]


def chosen_steps(log: Sequence[LogEntry]) -> int:
    """The steps after which the development part was told apart best; the fewest of equals."""
    return min(log, key=lambda line: (line.dev_loss, line.step)).step
