"""The protocol in words, where a run came from, and the commands that make it again."""

import shlex
from collections import Counter

from gensr.estimator.config import to_plain
from gensr.estimator.models.spec import preset
from gensr.features.same_encoder import named
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.report.content.checks import LEAK
from gensr.pipeline.report.content.data import Checks, Missing
from gensr.pipeline.runs.provenance import StoreRead
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.systems import System
from gensr.pipeline.training.enrolment import note_of

Facts = tuple[tuple[str, str], ...]
_FEW_FOLDS = 12
"""That are named one by one."""


def protocol_facts(system: System) -> Facts:
    """The question, as names and values."""
    about = system.protocol
    counts = Counter(about.classes[label] for label in about.labels.tolist())
    folds = [f"{fold.name}: {fold.held_out}" for fold in about.folds]
    if len(folds) > _FEW_FOLDS:
        folds = [*folds[:_FEW_FOLDS], f"and {len(folds) - _FEW_FOLDS} more"]
    merged = {label: name for label, name in about.label_map.items() if label != name}
    return (
        ("name", about.name),
        ("hash", f"{about.hash}: results of equal hashes may be compared, no others"),
        ("corpora", ", ".join(about.corpora)),
        ("label", about.label),
        ("classes", ", ".join(f"{name} {counts[name]}" for name in about.classes)),
        *([("labels made one", _merged(merged))] if merged else []),
        ("kept apart", _apart(about)),
        ("folds", "; ".join(folds)),
        ("tested", f"{len(system.answers.rows)} clips, each once"),
        ("intervals over", f"{about.cluster}s"),
        ("split seed", str(system.split_seed)),
    )


def notes(system: System) -> tuple[str, ...]:
    """What a reader of the results should know."""
    joined = [run.joined for run in system.runs if run.joined]
    return (*system.protocol.notes(), *dict.fromkeys(joined))


def alerts(system: System, looked: Checks | Missing) -> tuple[str, ...]:
    """What comes before everything: leaks that a person let pass, clips that were made worse."""
    lines = [note for note in system.protocol.notes() if note.startswith("leak:")]
    if not lines and not isinstance(looked, Missing):  # else those say the same again
        lines += [one.says for one in looked.found if one.kind == LEAK]
    made = (run.manifest.perturbed for run in system.runs)
    known = (note_of(run.config.enrol_clips) for run in system.runs)
    return tuple(dict.fromkeys(filter(None, (*lines, *made, *known))))


def provenance(system: System) -> Facts:
    """Where the system's runs came from."""
    run, made = system.runs[0], system.runs[0].manifest
    encoder = run.config.encoder
    weights = {name: encoder[name] for name in _WEIGHTS if encoder.get(name)}
    return (
        ("runs", ", ".join(str(one.folder) for one in system.runs)),
        ("identity", ", ".join(one.identity or "none: of version 0.1.0" for one in system.runs)),
        ("model", f"{run.config.model}, preset {run.config.preset}"),
        ("options", _plain(run.config.options)),
        *([("training", _plain(run.config.training))] if run.config.training else []),
        ("layers read", ", ".join(run.config.layers)),
        ("seed", ", ".join(map(str, system.seeds))),
        ("encoder", named(encoder)),
        *([("of the encoder", _plain(weights))] if weights else []),
        *(("store", f"{store.path}, {store.hash}") for store in made.stores),
        ("created", made.created),
        ("gensr", f"{made.gensr}, {made.git_revision or 'installed'}"),
        ("python", made.python),
        ("libraries", ", ".join(f"{name} {version}" for name, version in made.libraries.items())),
        *((f"{what} of", package) for what, package in made.packages.items()),
        ("machine", f"{made.machine}, {made.cpus} CPUs, trained on {made.device}"),
    )


_WEIGHTS = ("revision", "weights_sha256", "config_sha256", "dtype", "context")


def commands(system: System) -> tuple[str, ...]:
    """The calls that make it again; what cannot be known of a call is in capitals."""
    run = system.runs[0]
    return (
        *(_extract(run, store) for store in run.manifest.stores),
        _train(run, system),
        shlex.join(["gensr", "report", str(system.place)]),
    )


def _extract(run: Run, store: StoreRead) -> str:
    encoder = run.config.encoder
    call = ["gensr", "extract", "CORPUS", "--encoder", str(encoder.get("name") or "ENCODER")]
    if encoder.get("context") == "clip":
        call += ["--context", "clip"]
    if encoder.get("dtype") not in (None, "float32"):
        call += ["--dtype", str(encoder["dtype"])]
    if store.perturb:
        call += ["--perturb", store.perturb]
    return shlex.join([*call, "--out", store.path])


def _train(run: Run, system: System) -> str:
    config = run.config
    call = ["gensr", "train", *config.stores, "--model", config.model, "--preset", config.preset]
    call += ["--protocol", config.protocol or run.protocol.name, "--label", config.label]
    if config.labels:
        call += ["--labels", config.labels]
    if config.fold != "all":
        call += ["--fold", config.fold]
    call += ["--layers", ",".join(config.layers[:-1]) or "none"]
    if config.choose != "beforehand":
        call += ["--choose", config.choose]
    elif config.training:
        call += ["--steps", str(config.training["steps"])]
    if config.enrol_clips:
        call += ["--enrol", "speaker", "--enrol-clips", str(config.enrol_clips)]
    if config.calibrate:
        call.append("--calibrate")
    if run.protocol.leaks:
        call.append("--allow-leaks")
    if _settled(run):
        call += ["--config", "SETTINGS.toml"]
    several = len(system.seeds) > 1
    call += ["--seeds" if several else "--seed", ",".join(map(str, system.seeds))]
    call += ["--split-seed", str(config.split_seed)]
    return shlex.join([*call, "--run", str(system.place)])


def _settled(run: Run) -> bool:
    """Whether more was set than flags say: then its config.json has what SETTINGS.toml had."""
    config = run.config
    options, budget = preset(config.model, config.preset)
    training = dict(config.training or {})
    if budget is not None:
        training["steps"] = budget.steps
    usual = {} if budget is None else to_plain(budget)
    return dict(config.options) != to_plain(options) or training != usual


def _apart(about: Protocol) -> str:
    told = ", ".join(about.disjoint)
    return f"no {told} is both learnt from and tested" if told else "nothing"


def _merged(merged: dict[str, str]) -> str:
    return ", ".join(f"{label} is {name}" for label, name in sorted(merged.items()))


def _plain(values: object) -> str:
    """Settings in one line: `name value, ...`; a table within a table in brackets."""
    if not isinstance(values, dict):
        return ", ".join(map(str, values)) if isinstance(values, list | tuple) else str(values)
    told = []
    for name, value in values.items():
        inner = _plain(value)
        told.append(f"{name} ({inner})" if isinstance(value, dict) else f"{name} {inner}")
    return ", ".join(told)
