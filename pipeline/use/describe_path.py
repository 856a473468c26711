"""The path of a method in numbers: where it is at which time, and what it gives away there."""

from dataclasses import dataclass
from typing import Any

from gensr.estimator.errors import ConfigError
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.given_away import GivenAway, given_away
from gensr.features.store.where import Location
from gensr.pipeline.runs.models import expected_of
from gensr.pipeline.runs.run import Run
from gensr.pipeline.training.config import TrainConfig, resolve

WIDTH, CLASSES = 1024, 7
"""The paper's, of HuBERT-large and MELD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDescription:
    """A path, for vectors of one width and so many classes."""

    config: GenSERConfig
    width: int
    classes: int
    given: GivenAway

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        config, given = self.config, self.given
        parts = {name: getattr(config, name).name for name in ("mean", "variance", "codes")}
        columns = ("times", "a", "sigma", "guessed", "beside_x1")
        names = ("t", "a", "sigma", "guessed", "guessed_beside_x1")
        rows = zip(*(getattr(given, name).tolist() for name in columns), strict=True)
        return {
            "target": config.target.name,
            **parts,
            "width": self.width,
            "classes": self.classes,
            "chance": given.chance,
            "guessed_in_training": given.in_training,
            "guessed_in_training_beside_x1": given.in_training_beside_x1,
            "times": [dict(zip(names, row, strict=True)) for row in rows],
        }


def describe_path(
    asked: TrainConfig | None = None,
    *,
    run: Location | None = None,
    width: int | None = None,
    classes: int | None = None,
    points: int = 11,
) -> PathDescription:
    """Tell where a path is at which time, and how much of the label x_t gives away there.

    Args:
        asked: what `train` would be asked for, of a model with a path, which `TrainConfig` must
            name: none is the default; None: gen-ser by the preset `small`.
        run: a run, in place of what is asked for; its width and classes are the default then.
        width: L; default: the run's, or the paper's.
        classes: C, likewise.
        points: times, equally spaced from T to t_eps.

    Raises:
        ConfigError: settings or sizes that cannot be, or a model without a path.
        RunError: there is no such run.
    """
    if run is None:
        asked = asked or TrainConfig(model="gen-ser")
        model, options = asked.named, resolve(asked)[0]
    else:
        spec = expected_of(Run.open(run)).spec
        model, options = spec.model, spec.options
        width = spec.width if width is None else width
        classes = len(spec.classes) if classes is None else classes
    if not isinstance(options, GenSERConfig):
        raise ConfigError(f"{model} has no path from speech to class; gen-ser has one")
    L, C = WIDTH if width is None else width, CLASSES if classes is None else classes
    sizes = {"width": L, "classes": C, "points": points}
    for name, size in sizes.items():
        if not 1 <= size <= 2**16:
            raise ConfigError(f"{name} must be from 1 to {2**16}, found {size}")
    given = given_away(options, C, L, n=points)
    return PathDescription(config=options, width=L, classes=C, given=given)
