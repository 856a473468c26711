"""Stage two: cached vectors in, a run folder out. One model per fold, each fold's test predicted.

    stores -> vectors -> protocol -> for each fold: build, fit, save, predict -> predictions.csv

A fold learns from all of its training part. Where choices are to be made on the development
part (`choose = "dev"`), the number of steps is first found by training without it; N, layers
and everything else are fixed beforehand. What that first model answers of the development part is
kept (there, and with `calibrate`): the temperature of the probabilities is fitted on it. No test
clip is seen before it is predicted.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gensr.estimator.config import chosen, from_plain, to_plain
from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import ModelSpec, build, check_training, preset
from gensr.estimator.parallel import Group, joined, own_device
from gensr.estimator.resident import Resident
from gensr.features.store.where import Location, local
from gensr.pipeline.lint.checks import checks
from gensr.pipeline.lint.findings import TEST_SET, Findings
from gensr.pipeline.progress import Listener, Silent, say
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.begin import Request, begun
from gensr.pipeline.runs.config import RunConfig
from gensr.pipeline.runs.dev import beside_predictions, dev_of_fold
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.provenance import Manifest, StoreRead, perturbed_line, provenance
from gensr.pipeline.runs.run import CHECKS, Run
from gensr.pipeline.training.clips import labelled
from gensr.pipeline.training.enrolment import note_of
from gensr.pipeline.training.fold import FoldTraining
from gensr.pipeline.training.folds import learn
from gensr.pipeline.training.precision import check_precision
from gensr.pipeline.training.predictions import predictions_of, with_people
from gensr.pipeline.training.question import as_before
from gensr.pipeline.training.vectors import Vectors, open_vectors, prefixes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """What a run depends on, beside its stores."""

    model: str = "gen-ser"
    """Name of a model: `gen-ser`, `linear`, `transformer-ce`, or a package's."""
    preset: str = "small"
    """`small` for two CPU cores, `paper` for section 3.2."""
    label: str = "emotion"
    """Column to predict: emotion, gender, speaker, or any other of the clip table."""
    labels: str | None = None
    """`native` or `canonical` emotions; None: native for one corpus, canonical for several."""
    protocol: str | None = None
    """A protocol as docs/evaluation.md lists them, with its argument; None: the corpus's own."""
    fold: str = "all"
    """`all`, the name of one fold, or `none`: one model to deploy, learning from every clip."""
    layers: tuple[str, ...] | None = None
    """Conditioning layers by name; None: all that precede x1."""
    choose: str = "beforehand"
    """How many steps: `beforehand` by the budget, or by the `dev` part."""
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
        if self.choose not in ("beforehand", "dev"):
            raise ConfigError(f"choose must be beforehand or dev, found {self.choose!r}")
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


_DEFAULT = TrainConfig()


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training did."""

    run: Run
    protocol: Protocol
    notes: tuple[str, ...]
    """What is worth knowing, one line each."""
    leads: bool = True
    """Whether this process wrote the run; of those that torchrun started, one does."""


def train(
    stores: Location | Iterable[Location],
    config: TrainConfig = _DEFAULT,
    *,
    folder: Location | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Listener | None = None,
) -> TrainReport:
    """Train every fold asked for, and predict its test clips.

    Args:
        stores: one or several, of one encoder; paths or URLs.
        config: what to do; default: Gen-SER by the corpus's own protocol.
        folder: the run; None makes `runs/<time>-<model>`.
        resume: go on with a run that was stopped; finished folds are not trained again. Another
            training of the same folder is refused while this one lives.
        overwrite: replace a run that is there.
        progress: told how far it is.

    Raises:
        ConfigError, StoreError, ProtocolError, RunError: each in one line.
    """
    if resume and folder is None:
        raise ConfigError("--resume needs --run: which run to go on with")
    folder = None if folder is None else local(folder)
    options, budget = resolve(config)
    device = own_device(pick_device(config.device))
    before = _before(folder) if resume else None
    with joined(device) as group, _vectors(stores, config.layers, before) as vectors:
        enrolled = config.enrol_clips if config.enrol else 0
        vectors.enrol(enrolled)
        protocol = _protocol(vectors, config, before)
        folds = _chosen(protocol, config.fold)
        spec = ModelSpec(
            model=config.model,
            classes=protocol.classes,
            layers=vectors.layers,
            width=vectors.shape[1],
            options=options,
        )
        # Refuses sizes that do not fit, and slow precisions, before anything is written.
        size = build(spec).size
        advice = check_precision(budget, size, device, allow_slow=config.allow_slow)
        listener = progress or Silent()
        leaks = protocol.notes()[: len(protocol.leaks)]
        unsaid = say(listener, (*leaks, *advice))  # before any progress
        request = Request(
            config=_asked(config, options, budget, vectors, folds),
            protocol=protocol,
            manifest=_manifest(config, protocol, vectors, options, device),
        )
        checked = checks(vectors.table, protocol, allow_leaks=config.allow_leaks)
        with _begun(folder, request, group, resume=resume, overwrite=overwrite) as run:
            looked = run.write_checks(checked.as_json()) if group.leads else b""
            training = FoldTraining(
                run=run,
                spec=spec,
                clips=labelled(vectors, protocol, device, stream=config.stream),
                budget=budget,
                seed=config.seed,
                protocol=protocol,
                choose=config.choose,
                calibrate=config.calibrate,
                listener=listener,
                group=group,
            )
            predictions: list[Prediction] = []
            dev: list[Prediction] = []
            for fold, model in learn(training, folds):
                if group.leads:
                    predictions += predictions_of(model, fold, protocol, training.clips)
                    dev += dev_of_fold(run, fold.name)
            if not isinstance(training.clips, Resident):  # else they were when they were read
                vectors.confirm()
            if group.leads:
                run.write_log([fold.name for fold in folds])
                told_of = [with_people(each, vectors.table) for each in (predictions, dev)]
                beside = {CHECKS: looked, **beside_predictions(run, protocol.classes, told_of[1])}
                run.write_predictions(protocol.classes, told_of[0], beside)
            group.wait()
            told = (*unsaid, *_notes(protocol, vectors, folds, config, checked))
            if budget is not None and not isinstance(training.clips, Resident):
                told += _read_again(vectors.shard_clips, budget.block)
        return TrainReport(run, protocol, told, group.leads)


@contextmanager
def _begun(
    folder: Path | None, request: Request, group: Group, *, resume: bool, overwrite: bool
) -> Iterator[Run]:
    """The run, begun and held by the first process of the group; the others know where it is."""
    if group.leads:
        with begun(folder, request, resume=resume, overwrite=overwrite) as run:
            group.share(str(run.folder.absolute()) if group.size > 1 else None)
            yield run
        return
    yield Run(Path(str(group.share(None))))


def _manifest(
    config: TrainConfig, protocol: Protocol, vectors: Vectors, options: Any, device: torch.device
) -> Manifest:
    origin = [
        StoreRead(path=str(place), hash=fingerprint, perturb=done)
        for place, fingerprint, done in zip(
            vectors.places, vectors.hashes, vectors.perturbed, strict=True
        )
    ]
    parts = [(MODELS, config.model), *chosen(options)]
    return provenance(
        config.seed, protocol, origin, device=str(device), parts=parts, joined=vectors.notes
    )


def resolve(config: TrainConfig) -> tuple[Any, TrainingConfig | None]:
    """The preset, overlaid by the TOML file, overlaid by what was given beside it."""
    given = {} if config.settings is None else _tables(config.settings)
    of_model = given.get("model", {})
    asked = {**(of_model if isinstance(of_model, Mapping) else {}), **config.options}
    options, budget = preset(config.model, config.preset, asked)
    if config.settings is not None:
        where = str(config.settings)
        options = from_plain(type(options), of_model, f"{where} [model]", base=options)
        if "training" in given:
            _check_by_steps(config.model, budget, f"{where} [training]")
            budget = from_plain(
                TrainingConfig, given["training"], f"{where} [training]", base=budget
            )
    options = from_plain(type(options), config.options, config.model, base=options)
    check_training(options)
    if config.choose == "dev":
        _check_by_steps(config.model, budget, "choose = dev")
    for name in ("steps", "precision"):
        if (asked := getattr(config, name)) is not None:
            _check_by_steps(config.model, budget, f"{name} = {asked}")
            budget = replace(budget or TrainingConfig(), **{name: asked})
    return options, budget


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


def _before(folder: Path | None) -> Run | None:
    """The run to go on with, where there is one."""
    return Run.open(folder) if folder and (folder / "config.json").is_file() else None


def _vectors(
    stores: Location | Iterable[Location], layers: Sequence[str] | None, before: Run | None
) -> Vectors:
    """The vectors, called as in the run to go on with."""
    if before is None:
        return open_vectors(stores, layers)
    return open_vectors(
        stores,
        layers,
        encoder=before.config.encoder,
        known=before.manifest.store_hashes,
        prefixes=prefixes_of(before),
        join=before.identity is not None,
    )


def _protocol(vectors: Vectors, config: TrainConfig, before: Run | None) -> Protocol:
    """The question; its default is the one that the run to go on with began with."""
    kept = before.protocol if before else None
    return make_protocol(
        vectors.table,
        name=config.protocol
        or (before.config.protocol or before.protocol.name if before else None),
        label=config.label,
        labels=config.labels,
        seed=config.split_seed,
        deploy=config.fold == "none",
        allow_leaks=config.allow_leaks,
        as_before=kept is not None and as_before(kept),
    )


def _read_again(shard: int, block: int) -> tuple[str, ...]:
    """What streaming costs where shards are larger than blocks."""
    if shard <= block:
        return ()
    return (
        f"streamed: a shard of {shard} clips was read for every block of {block}; [training] "
        f"block = {shard} reads each once an epoch (another order, so another run)",
    )


def _chosen(protocol: Protocol, fold: str) -> tuple[Fold, ...]:
    if fold in ("all", "none"):
        return protocol.folds
    folds = tuple(one for one in protocol.folds if one.name == fold)
    if not folds:
        names = ", ".join(one.name for one in protocol.folds)
        raise ConfigError(f"protocol {protocol.name} has no fold {fold!r}; there are {names}, all")
    return folds


def _asked(
    config: TrainConfig,
    options: Any,
    budget: TrainingConfig | None,
    vectors: Vectors,
    folds: Sequence[Fold],
) -> RunConfig:
    """What is kept of the request."""
    places = [place.resolve() if isinstance(place, Path) else place for place in vectors.places]
    return RunConfig(
        model=config.model,
        preset=config.preset,
        options=to_plain(options),
        training=None if budget is None else to_plain(budget),
        choose=config.choose,
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


def _notes(
    protocol: Protocol,
    vectors: Vectors,
    folds: Sequence[Fold],
    config: TrainConfig,
    checked: Findings,
) -> tuple[str, ...]:
    worse = perturbed_line(zip(map(str, vectors.places), vectors.perturbed, strict=True))
    smaller = (one.line for one in checked.findings if one.kind == TEST_SET)
    others = protocol.notes()[len(protocol.leaks) :]  # those have been said, or come before these
    notes = [*smaller, *others, *filter(None, [worse]), *vectors.notes]
    notes += filter(None, [note_of(config.enrol_clips if config.enrol else 0)])
    notes += [one.line for one in checked.findings if one.kind == "shortcut"]
    audio = vectors.table["audio_sha256"][protocol.store_rows]
    repeats = len(audio) - len(np.unique(audio))
    if repeats:
        notes.append(f"clips whose audio is another clip's too: {repeats}; each counts on its own")
    missing = ", ".join(fold.name for fold in folds if not len(fold.dev))
    if config.choose == "dev" and missing:
        notes.append(f"no development part in fold {missing}: steps are the budget's")
    if config.calibrate and missing:
        notes.append(f"no development part in fold {missing}: no dev scores, so no temperature")
    return tuple(notes)
