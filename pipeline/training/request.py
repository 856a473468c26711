"""What is kept of a training's request, and where its vectors came from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from gensr.estimator.config import chosen, to_plain
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.provenance import Manifest, StoreRead, provenance
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.fold import settled
from gensr.pipeline.training.vectors import Vectors


def asked_of(
    config: TrainConfig,
    options: Any,
    budget: TrainingConfig | None,
    vectors: Vectors,
    folds: Sequence[Fold],
) -> RunConfig:
    """What is kept of the request."""
    places = [place.resolve() if isinstance(place, Path) else place for place in vectors.places]
    return RunConfig(
        model=config.named,
        preset=config.preset,
        options=to_plain(options),
        training=None if budget is None else to_plain(budget),
        choose=settled(config.choose, budget),
        calibrate=config.calibrate,
        enrol_clips=config.enrol_clips if config.enrol else 0,
        label=config.label,
        labels=config.labels,
        protocol=config.protocol,
        fold=config.fold,
        folds=tuple(fold.name for fold in folds),
        layers=vectors.layers,
        width=vectors.shape[1],
        seed=config.seed,
        split_seed=config.split_seed,
        encoder=vectors.encoder,
        stores=tuple(map(str, places)),
    )


def manifest_of(
    config: TrainConfig, protocol: Protocol, vectors: Vectors, options: Any, device: torch.device
) -> Manifest:
    """Where a run comes from."""
    origin = [
        StoreRead(path=str(place), hash=fingerprint, perturb=done)
        for place, fingerprint, done in zip(
            vectors.places, vectors.hashes, vectors.perturbed, strict=True
        )
    ]
    parts = [(MODELS, config.named), *chosen(options)]
    return provenance(
        config.seed, protocol, origin, device=str(device), parts=parts, joined=vectors.notes
    )
