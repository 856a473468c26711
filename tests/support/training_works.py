"""Trainings that may be ended anywhere, for the calls of `forking`."""

from pathlib import Path
from typing import Any

import torch

from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.train import train as stage

torch.set_num_threads(1)


def train(store: str, folder: str, config: dict[str, Any], options: dict[str, Any]) -> None:
    settings = {"device": "cpu", "model": "linear"} | config
    stage([Path(store)], TrainConfig(**settings), folder=Path(folder), **options)


WORKS: dict[str, Any] = {"train": train}
