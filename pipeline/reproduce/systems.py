"""The systems of an experiment, made: stores extracted, every model trained with every seed.

All of it lies under one folder and goes on where it was stopped; experiments that ask the same
(Table 1, Table 3 and Fig. 1 of one corpus) share stores and runs.

    OUT/stores/CORPUS-ENCODER.zarr
    OUT/runs/QUESTION-LABEL-ENCODER/MODEL/seed-K/
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gensr.estimator.errors import ConfigError
from gensr.features.encoders.errors import EncoderError
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.progress import Listener
from gensr.pipeline.reproduce.questions import Question
from gensr.pipeline.runs.run import Run, is_set
from gensr.pipeline.runs.sets import runs_of
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.seeds import train_seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much is spent on each system, and where."""

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Of every training; two at least."""
    preset: str = "small"
    """`small` for two CPU cores, `paper` for section 3.2."""
    steps: int | None = None
    """Optimizer steps in place of the preset's."""
    context: str = "full"
    """Of Whisper alone: see `ExtractConfig`."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:N`."""

    def __post_init__(self) -> None:
        if len(set(self.seeds)) < 2:
            raise ConfigError(f"seeds are {self.seeds}: an experiment takes two or more")


class Workshop:
    """A folder in which systems are made, or found as they were made before."""

    def __init__(
        self, out: Path, folders: Mapping[str, Path], budget: Budget, listener: Listener
    ) -> None:
        self.out, self._folders, self._budget, self._listener = out, folders, budget, listener
        self.notes: list[str] = []
        """What a reader of the results must know of the making, one line each."""
        self._failed: dict[str, str] = {}

    def runs(self, question: Question, encoder: str, model: str) -> tuple[Run, ...]:
        """A run for each seed.

        Raises:
            GensrError: the encoder is not here, a store cannot be made, or the question cannot
                be asked of these clips.
        """
        stores = [self.store(corpus, encoder) for corpus in question.corpora]
        where = f"{question.name}-{question.label}-{self._called(encoder)}"
        folder = self.out / "runs" / where / model
        budget = self._budget
        config = TrainConfig(
            model=model,
            preset=budget.preset,
            label=question.label,
            protocol=question.protocol,
            steps=budget.steps,
            device=budget.device,
        )
        _, reports = train_seeds(
            stores,
            config,
            budget.seeds,
            folder=folder,
            resume=is_set(folder),
            progress=self._listener,
        )
        self._say(f"{where}: {note}" for note in reports[0].notes)
        return runs_of(folder)

    def store(self, corpus: str, encoder: str) -> Path:
        """The store of a corpus; extracted, gone on with, or there already.

        Raises:
            GensrError: see `extract`; an encoder that failed once is not tried again.
        """
        if encoder in self._failed:
            raise EncoderError(self._failed[encoder])
        out = self.out / "stores" / f"{corpus}-{self._called(encoder)}.zarr"
        out.parent.mkdir(parents=True, exist_ok=True)
        budget = self._budget
        config = ExtractConfig(encoder=encoder, device=budget.device, allow_outside=True)
        if budget.context != "full" and encoder != "fbank":
            config = replace(config, context=budget.context)
        try:
            report = extract(self._folders[corpus], out, config, progress=self._listener)
        except EncoderError as error:
            self._failed[encoder] = str(error)
            raise
        self._say(f"{corpus}: {note}" for note in report.notes)
        self._say(f"{corpus}: {each.path} cannot be used: {each.reason}" for each in report.failed)
        return out

    def _called(self, encoder: str) -> str:
        """An encoder's name as part of a file's, with what its vectors depend on."""
        name = re.sub(r"[^\w.-]+", "-", encoder.rstrip("/").rpartition("/")[2]) or "encoder"
        return name if self._budget.context == "full" or encoder == "fbank" else f"{name}-clip"

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            if line not in self.notes:
                self.notes.append(line)
