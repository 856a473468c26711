"""One fold: choose how long to train where that is asked for, then learn, and keep the model."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from gensr.estimator.device import threads_for
from gensr.estimator.files import make_folder, write_whole
from gensr.estimator.fitting import Examples, Fitting, LogEntry, TrainingConfig
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.saved import save_model
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.training import mix_seed
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
    everything: Examples
    """Every clip of the protocol, on the device to train on."""
    budget: TrainingConfig | None
    """None for a model that is not trained by steps."""
    seed: int
    choose: str
    """`beforehand` or `dev`, as in `TrainConfig`."""
    listener: Listener

    def learn(self, fold: Fold) -> Classifier:
        """Train one fold's model, or go on with it, or load it where it is finished.

        Raises:
            RunError: what is there is damaged or another run's, or nothing can be written.
        """
        folder = self.run.fold(fold.name)
        if os.path.lexists(folder / "model.safetensors"):
            return load_fold(self.run, fold.name, self.everything.x.device)[0]
        make_folder(folder)
        stop, log = None, []
        if self.choose == "dev" and len(fold.dev):
            dev = self._take(fold.dev)
            log = self._fit(fold, fold.train, folder, "choose", dev=dev)[1]
            stop = min(log, key=lambda line: (line["dev_loss"], line["step"]))["step"]
        model, learned = self._fit(fold, fold.learn, folder, "learn", stop=stop)
        text = "".join(json.dumps(line) + "\n" for line in (*log, *learned))
        write_whole(folder / "metrics.jsonl", text.encode())
        save_model(folder, model, self.spec, self.run.identity)
        for checkpoint in folder.glob("*.checkpoint*"):
            checkpoint.unlink()
        return model

    def _fit(
        self,
        fold: Fold,
        rows: Rows,
        folder: Path,
        phase: str,
        *,
        dev: Examples | None = None,
        stop: int | None = None,
    ) -> tuple[Classifier, list[dict[str, Any]]]:
        steps = self.budget.steps if self.budget else 1
        self.listener.stage(f"fold {fold.name}: {phase}", stop or steps)
        done = 0

        def report(entry: LogEntry) -> None:
            nonlocal done
            self.listener.advance(entry.step - done)
            done = entry.step

        seed = mix_seed(self.seed, "fold", fold.name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix_seed(seed, "weights", ""))
            model = build(self.spec, self.everything.x.device)
        how = Fitting(
            seed=seed,
            budget=self.budget,
            dev=dev,
            checkpoint=folder / f"{phase}.checkpoint",
            owner=self.run.identity,
            stop=stop,
            report=report,
        )
        with threads_for(model.size):
            log = model.fit(self._take(rows), how)
        return model, [{"fold": fold.name, "phase": phase, **asdict(entry)} for entry in log]

    def _take(self, rows: Rows) -> Examples:
        chosen = torch.from_numpy(rows).to(self.everything.y.device)
        return Examples(self.everything.x[chosen], self.everything.y[chosen])
