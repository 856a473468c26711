"""A trained model of a run, to ask in a notebook: vectors in, probabilities out.

Shapes: N clips, K conditioning layers, L width, C classes.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.spec import ModelSpec
from gensr.features.store.where import Location
from gensr.pipeline.runs.lock import check_idle
from gensr.pipeline.runs.models import load_fold
from gensr.pipeline.runs.run import Run


@dataclass(frozen=True, slots=True)
class Trained:
    """One fold's model, checked to be its run's."""

    run: Path
    """Folder of the run."""
    fold: str
    """Name of the fold that it did not learn from; `all` where it learnt from every clip."""
    spec: ModelSpec = field(repr=False)
    """What built it."""
    model: Classifier = field(repr=False)
    """The model itself."""
    enrol_clips: int = 0
    """If not 0, it takes vectors less the mean of so many clips of their speaker."""

    @property
    def name(self) -> str:
        """`gen-ser`, `linear`, ..."""
        return self.spec.model

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes, in the order of the probabilities."""
        return self.spec.classes

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the K+1 layers it reads, x1 last; `Store.vectors(layers=...)` takes them."""
        return self.spec.layers

    def probabilities(self, x: ArrayLike, **options: Any) -> NDArray[np.float64]:
        """Class probabilities of vectors.

        Args:
            x: (N, K+1, L) the layers `layers`, x1 last; of a run with enrolment less the mean of
                some clips of each speaker.
            **options: the model's own: `sampler` and `N` of gen-ser.

        Returns:
            (N, C), rows summing to one.

        Raises:
            ConfigError: x has another shape.
            RunError: a probability that is not finite.
        """
        vectors = np.ascontiguousarray(x, np.float32)
        wanted = (len(self.layers), self.spec.width)
        if vectors.ndim != 3 or vectors.shape[1:] != wanted:
            raise ConfigError(
                f"x has the shape {vectors.shape}; {self.name} takes (clips, {wanted[0]} layers, "
                f"{wanted[1]}): store.vectors(layers=model.layers)"
            )
        p = self.model.predict(torch.from_numpy(vectors).to(self.model.device), **options)
        return np.asarray(p.double().cpu().numpy())

    def predict(self, x: ArrayLike, **options: Any) -> list[str]:
        """The likeliest class of each clip, by name; arguments as of `probabilities`."""
        return [self.classes[int(i)] for i in self.probabilities(x, **options).argmax(-1)]


def load_model(run: Run | Location, fold: str | None = None, *, device: str = "auto") -> Trained:
    """Load a trained model of a run.

    Args:
        run: a finished run, or its folder.
        fold: which fold's; None where there is one alone, as after `fold="none"`.
        device: `auto`, `cpu`, `cuda`, `cuda:N`.

    Raises:
        ConfigError: there is no such fold, or there are several.
        RunError: the run is unfinished, being trained, or damaged.
    """
    run = Run.of(run)
    check_idle(run.folder)
    folds = run.config.folds
    if (fold is None and len(folds) > 1) or fold not in (None, *folds):
        asked = "has several models" if fold is None else f"has no fold {fold!r}"
        raise ConfigError(f"{run.folder} {asked}; name one of the folds {', '.join(folds)}")
    run.predictions()  # an unfinished training has none
    name = fold or folds[0]
    model, spec = load_fold(run, name, pick_device(device))
    return Trained(run.folder, name, spec, model, run.config.enrol_clips)
