"""What a run was asked for, resolved: its `config.json` as an object.

The identity of a run follows from all of it but itself and where the stores lie. A setting that
this version does not know is kept, so that it counts there, and where a training goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from gensr.estimator.config import to_plain
from gensr.estimator.errors import RunError
from gensr.pipeline.runs import kinds
from gensr.pipeline.runs.files import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """The settings of a run, in the order of its file."""

    run: str | None = None
    """Identity of the run; None before it is written, and in version 0.1.0."""
    model: str
    """`gen-ser`, `linear`, ..."""
    preset: str
    """What the settings began with: `small` or `paper`."""
    options: Mapping[str, Any]
    """The model's own settings, as its registry reads them."""
    training: Mapping[str, Any] | None
    """The budget, as plain values of a `TrainingConfig`; None for a model without steps."""
    choose: str
    """How many steps: `beforehand`, or by the dev part `budgets:...` or `looks`, which runs of
    before call `dev`."""
    calibrate: bool = False
    """Whether answers of development parts were asked for; written only where they were."""
    enrol_clips: int = 0
    """Unlabelled clips by which each speaker's vectors are centred; 0, and unwritten: none."""
    label: str
    """Column that is predicted, as it was asked for."""
    labels: str | None
    """`native`, `canonical`, or None: what the corpora suggest."""
    protocol: str | None
    """Name of the protocol that was asked for; None: the corpus's own."""
    fold: str
    """`all`, the name of one fold, or `none`: one model to deploy."""
    folds: tuple[str, ...]
    """Names of the folds, a model each."""
    layers: tuple[str, ...]
    """Names of the layers that the models read, x1 last."""
    width: int
    """L, of every layer."""
    seed: int
    """Of every draw of the training."""
    split_seed: int
    """Of the draws of hold-outs and development parts."""
    encoder: Mapping[str, Any]
    """Provenance of the encoder, as the store has it; one of the user's own says what it likes."""
    stores: tuple[str, ...]
    """Where the vectors were: the one setting that may be edited."""
    hashes: Mapping[str, str] | None = None
    """SHA-256 of the files that the run began with, by name; None as for `run`."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Settings of a later version."""

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], path: Path) -> "RunConfig":
        """A config from the JSON object of its file.

        Raises:
            RunError: a setting is missing or of the wrong kind, or one was changed since the run
                was made.
        """
        settings = {key: value for key, value in plain.items() if key in _SETTINGS}
        more = {key: value for key, value in plain.items() if key not in _SETTINGS}
        config = cls(**kinds.values_of(cls, settings, path, _KINDS), more=more)
        if config.run is None and config.hashes is None:
            return config  # of version 0.1.0
        for name in ("run", "hashes"):
            if name not in plain:
                raise kinds.lacks(path, name)
        if config.run != identity(plain):
            raise RunError(
                f"{path} cannot be read (it was changed since the run was made: its settings are "
                "not those of its models); put it back as it was, or train again"
            )
        return config

    def to_plain(self) -> dict[str, Any]:
        """The JSON object of its file."""
        plain: dict[str, Any] = to_plain(self)
        more = plain.pop("more")
        unsaid = [name for name in ("run", "hashes") if plain[name] is None]
        if not self.calibrate:
            unsaid.append("calibrate")  # as versions to 0.2, which knew no such wish
        if not self.enrol_clips:
            unsaid.append("enrol_clips")
        return {**{key: value for key, value in plain.items() if key not in unsaid}, **more}

    def bound(self, hashes: Mapping[str, str]) -> "RunConfig":
        """The same, with the hashes of the files it begins with, and the identity they lead to."""
        config = replace(self, hashes=hashes)
        return replace(config, run=identity(config.to_plain()))

    @property
    def deployed(self) -> bool:
        """Whether one model learns from every clip, and none is tested."""
        return self.fold == "none"


def _budget(value: Any) -> bool:
    return value is None or (kinds.table(value) and kinds.whole(value.get("steps")))


def _encoder(value: Any) -> bool:
    """An object of one's own may have had no name; how long it listens at once may be absent."""
    if not kinds.table(value) or not kinds.text_or_none(value.get("name")):
        return False
    return kinds.length(value.get("max_seconds", 1))


_SETTINGS = {each.name for each in fields(RunConfig)} - {"more"}
_KINDS = {"run": kinds.text, "hashes": kinds.hashes, "training": _budget, "encoder": _encoder}
