"""What a training is asked for, and how that reads in full: preset, TOML file, single settings."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gensr.estimator.config import from_plain
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import check_asked, check_preset, check_training, preset
from gensr.features.store.where import Location, local
from gensr.pipeline.training.by_scores import by_scores
from gensr.pipeline.training.fold import budgets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """What a run depends on, beside its stores."""

    model: str | None = None
    """Name of a model: `gen-ser`, `linear`, `transformer-ce`, or a package's; None: the preset's
    own (`named`)."""
    preset: str = "small"
    """`small` for two CPU cores, of transformer-mse where no model is named; `paper` for section
    3.2, of gen-ser then."""
    label: str = "emotion"
    """Column to predict: emotion, gender, speaker, or any other of the clip table."""
    labels: str | None = None
    """`native` or `canonical` emotions; None: native for one corpus, canonical for several."""
    protocol: str | None = None
    """A protocol as docs/evaluation.md lists them, with its argument; None: the corpus's own."""
    fold: str = "all"
    """`all`, the name of one fold, or `none`: one model to deploy, learning from every clip."""
    layers: tuple[str, ...] | None = None
    """Conditioning layers by name; None: all that precede x1. `("auto",)`: all, each counting by
    its score of inner folds (`inputs.layers = "auto"`, as networks of the preset `small` do)."""
    choose: str = "beforehand"
    """How many steps: `beforehand` by the budget; by the dev part the best end among whole
    schedules, `budgets:200,400,800`, or with `dev` a quarter, half and all of the budget; or the
    best of the `looks` at the dev part inside one schedule."""
    calibrate: bool = False
    """Whether each fold first trains without its development part, and its answers of that part
    are kept, to fit a temperature on; so in any case where the `dev` part chooses."""
    enrol: str | None = None
    """`speaker`: each speaker's vectors less the mean of some unlabelled clips of theirs."""
    enrol_clips: int = 10
    """How many; all where a speaker has fewer."""
    seed: int = 0
    """Of every draw of the training: initial weights, batches, times, noise, dropout."""
    split_seed: int = 0
    """Of the draws of hold-outs and development parts; one question, many training seeds."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:N`."""
    steps: int | None = None
    """Optimizer steps, in place of the preset's."""
    precision: str | None = None
    """`float32` or `bfloat16`, of matrix products, in place of the preset's."""
    allow_slow: bool = False
    """Whether `precision` may be one that this device computes many times slower than float32."""
    allow_leaks: bool = False
    """Whether to go on where the protocol leaks, which is then the first of every run's notes."""
    stream: bool | None = None
    """Read vectors while they are learnt from; None: where memory does not hold them. It changes
    no weight."""
    settings: Location | None = None
    """A TOML file with tables [model] and [training] over the preset."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the model over those, as in [model]: `{"mean": {"name": "logistic", "k": 4}}`."""

    def __post_init__(self) -> None:
        if self.choose not in ("beforehand", "dev", "looks") and not budgets_of(self.choose):
            raise ConfigError(
                f"choose must be beforehand, dev, budgets:A,B,... or looks, found {self.choose!r}"
            )
        if self.labels not in (None, "native", "canonical"):
            raise ConfigError(f"labels must be native or canonical, found {self.labels!r}")
        if self.labels is not None and self.label != "emotion":
            raise ConfigError(f"--labels is about emotions, not {self.label}; drop it")
        if self.enrol not in (None, "speaker"):
            raise ConfigError(f"enrol must be speaker, found {self.enrol!r}")
        if self.enrol_clips < 1:
            raise ConfigError(f"enrol_clips must be at least 1, found {self.enrol_clips}")
        if self.steps is not None and self.steps < 1:
            raise ConfigError(f"steps must be at least 1, found {self.steps}")

    @property
    def named(self) -> str:
        """The model that was named, or the preset's own: `transformer-mse`, of `paper` `gen-ser`.

        Raises:
            ConfigError: none was named, and there is no such preset.
        """
        return check_preset(self.preset) if self.model is None else self.model


def resolve(config: TrainConfig) -> tuple[Any, TrainingConfig | None]:
    """The model's settings and the budget: preset, then the TOML file, then what is beside it.

    Raises:
        ConfigError: a setting is none, or is not of this model.
    """
    if config.layers == ("auto",):
        config = replace(config, options=by_scores(config.named, config.options))
    given = {} if config.settings is None else _tables(config.settings)
    of_model = given.get("model", {})
    asked = {**(of_model if isinstance(of_model, Mapping) else {}), **config.options}
    options, budget = preset(config.named, config.preset, asked)
    if config.layers is not None and not MODELS[config.named].reads_layers:
        raise ConfigError(f"{config.named} reads x1 alone; drop --layers")
    _check_known(config, type(options), asked)
    if config.settings is not None:
        where = str(config.settings)
        options = from_plain(type(options), of_model, f"{where} [model]", base=options)
        if "training" in given:
            _check_by_steps(config.named, budget, f"{where} [training]")
            budget = from_plain(
                TrainingConfig, given["training"], f"{where} [training]", base=budget
            )
    options = from_plain(type(options), config.options, config.named, base=options)
    check_training(options)
    check_asked(options, asked)
    if config.choose != "beforehand":
        _check_by_steps(config.named, budget, f"choose = {config.choose}")
    if config.steps is not None and budgets_of(config.choose):
        raise ConfigError(f"steps = {config.steps} has no say beside choose = {config.choose}")
    for name in ("steps", "precision"):
        if (asked := getattr(config, name)) is not None:
            _check_by_steps(config.named, budget, f"{name} = {asked}")
            budget = replace(budget or TrainingConfig(), **{name: asked})
    return options, budget


def _check_known(config: TrainConfig, own: type[Any], asked: Mapping[str, Any]) -> None:
    """Refuse settings of Gen-SER where no model was named, and another is the default."""
    if config.model is not None:
        return
    known, others = ({each.name for each in fields(cls)} for cls in (own, GenSERConfig))
    others |= {"k"}  # of its mean, for short
    for name in sorted((set(asked) & others) - known):
        raise ConfigError(
            f"{name} is a setting of gen-ser, and {config.named} is trained where no model is "
            "named; pass --model gen-ser"
        )


def _tables(settings: Location) -> dict[str, Any]:
    """The tables of a TOML file."""
    where = str(settings)
    try:
        given = tomllib.loads(local(settings).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{where} cannot be read as TOML: {error}") from error
    unknown = sorted(set(given) - {"model", "training"})
    if unknown:
        raise ConfigError(f"{where}: no table [{unknown[0]}]; there are [model], [training]")
    return given


def _check_by_steps(model: str, budget: TrainingConfig | None, asked: str) -> None:
    if budget is None:
        raise ConfigError(f"{model} is not trained by steps; drop {asked}")
