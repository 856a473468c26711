"""Stage two: cached vectors in, a run folder out. One model per fold, each fold's test predicted.

    stores -> vectors -> protocol -> for each fold: build, fit, save, predict -> predictions.csv

A fold learns from all of its training part. Where choices are to be made on the development
part (`choose`), the number of steps is first found by training without it; N, layers
and everything else are fixed beforehand. What that first model answers of the development part is
kept (there, and with `calibrate`): the temperature of the probabilities is fitted on it. No test
clip is seen before it is predicted.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError
from gensr.estimator.models.spec import ModelSpec, build, check_sizes
from gensr.estimator.parallel import Group, joined, own_device
from gensr.estimator.resident import Resident
from gensr.features.store.where import Location, local
from gensr.pipeline.lint.checks import checks
from gensr.pipeline.progress import Listener, Silent, say
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.begin import Request, begun
from gensr.pipeline.runs.dev import beside_predictions, dev_of_fold
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import CHECKS, Run
from gensr.pipeline.training.clips import labelled
from gensr.pipeline.training.config import TrainConfig, resolve
from gensr.pipeline.training.fold import FoldTraining, settled
from gensr.pipeline.training.folds import learn
from gensr.pipeline.training.notes import notes_on, read_again
from gensr.pipeline.training.precision import check_precision
from gensr.pipeline.training.predictions import predictions_of, with_people
from gensr.pipeline.training.question import as_before
from gensr.pipeline.training.request import asked_of, manifest_of
from gensr.pipeline.training.vectors import Vectors, open_vectors, prefixes_of

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
        config: what to do; default: what the preset `small` has, by the corpus's own protocol.
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
    if resume and overwrite:
        raise ConfigError("--resume goes on with a run, --overwrite begins anew: pass one of them")
    folder = None if folder is None else local(folder)
    options, budget = resolve(config)
    layers = None if config.layers == ("auto",) else config.layers
    device = own_device(pick_device(config.device))
    before = _before(folder) if resume else None
    with joined(device) as group, _vectors(stores, layers, before) as vectors:
        vectors.enrol(config.enrol_clips if config.enrol else 0)
        protocol = _protocol(vectors, config, before)
        folds = _chosen(protocol, config.fold)
        spec = ModelSpec(
            model=config.named,
            classes=protocol.classes,
            layers=vectors.layers,
            width=vectors.shape[1],
            options=options,
        )
        # Refuses sizes that do not fit, and slow precisions, before anything is written.
        check_sizes(spec)
        size = build(spec).size
        advice = check_precision(budget, size, device, allow_slow=config.allow_slow)
        listener = progress or Silent()
        leaks = protocol.notes()[: len(protocol.leaks)]
        unsaid = say(listener, (*leaks, *advice))  # before any progress
        request = Request(
            config=asked_of(config, options, budget, vectors, folds),
            protocol=protocol,
            manifest=manifest_of(config, protocol, vectors, options, device),
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
                choose=settled(config.choose, budget),
                calibrate=config.calibrate,
                listener=listener,
                group=group,
            )
            _learn(training, folds, vectors, looked)
            group.wait()
            told = (*unsaid, *notes_on(protocol, vectors, folds, config, checked))
            if budget is not None and not isinstance(training.clips, Resident):
                told += read_again(vectors.shard_clips, budget.block)
        return TrainReport(run, protocol, told, group.leads)


def _learn(training: FoldTraining, folds: Sequence[Fold], vectors: Vectors, looked: bytes) -> None:
    """Train every fold, and write what its models answer; with that the run is finished.

    Args:
        training: what the folds have in common.
        folds: those asked for.
        vectors: of their clips.
        looked: what `checks.json` holds, to be sealed with the answers.
    """
    run, protocol, leads = training.run, training.protocol, training.group.leads
    predictions: list[Prediction] = []
    dev: list[Prediction] = []
    for fold, model in learn(training, folds):
        if leads:
            predictions += predictions_of(model, fold, protocol, training.clips)
            dev += dev_of_fold(run, fold.name)
    if not isinstance(training.clips, Resident):  # else they were when they were read
        vectors.confirm()
    if leads:
        run.write_log([fold.name for fold in folds])
        given, tried = (with_people(each, vectors.table) for each in (predictions, dev))
        beside = {CHECKS: looked, **beside_predictions(run, protocol.classes, tried)}
        run.write_predictions(protocol.classes, given, beside)


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


def _chosen(protocol: Protocol, fold: str) -> tuple[Fold, ...]:
    if fold in ("all", "none"):
        return protocol.folds
    folds = tuple(one for one in protocol.folds if one.name == fold)
    if not folds:
        names = ", ".join(one.name for one in protocol.folds)
        raise ConfigError(f"protocol {protocol.name} has no fold {fold!r}; there are {names}, all")
    return folds
