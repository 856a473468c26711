"""`gensr train`: cached vectors to a run."""

from pathlib import Path
from typing import Annotated, Any

import typer

NAME = "train"
EPILOG = """**Examples**

gensr train ravdess.zarr

gensr train emodb.zarr --model transformer-ce --run runs/emodb-ce

gensr train emodb.zarr --seeds 0-4 --run runs/emodb

gensr train emodb.zarr ravdess.zarr --labels canonical --fold none --run runs/deploy

gensr train ravdess.zarr --label gender --steps 300

gensr train ravdess.zarr emodb.zarr --protocol cross-corpus:ravdess:emodb
"""


def command(
    stores: Annotated[list[str], typer.Argument(metavar="STORE", help="Stores of one encoder.")],
    run: Annotated[Path | None, typer.Option(help="Run folder; default: runs/TIME-MODEL.")] = None,
    model: Annotated[str | None, typer.Option(help="{models}; default: the preset's own.")] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="`small` for two CPU cores, of transformer-mse; `paper` for the paper's sizes, "
            "of gen-ser."
        ),
    ] = "small",
    label: Annotated[
        str, typer.Option(help="What to predict: emotion, gender, speaker, or a column.")
    ] = "emotion",
    labels: Annotated[
        str | None,
        typer.Option(help="Emotion words: native (default for one corpus) or canonical."),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="How to split, by a name of docs/evaluation.md: official, loso, speaker-kfold:K, "
            "kfold:K, speaker-holdout, paper-mix, cross-corpus:A:B, leave-one-corpus-out, "
            "emobox:FOLDER, column:NAME, FILE.toml, a corpus's own (savee-loso, iemocap-4-session, "
            "msp-podcast-test1, ...); default: the corpus's own."
        ),
    ] = None,
    fold: Annotated[
        str, typer.Option(help="all, the number of one, or `none`: learn from every clip.")
    ] = "all",
    layers: Annotated[
        str | None,
        typer.Option(
            help="Conditioning layers, e.g. 4,8,12, or none; auto: all, by scores of inner folds; "
            "default: all."
        ),
    ] = None,
    choose: Annotated[
        str,
        typer.Option(
            help="Number of steps: beforehand; by the development part the best of whole "
            "schedules, budgets:200,400,... or dev (a quarter, half and all of the steps), or "
            "of the looks inside one."
        ),
    ] = "beforehand",
    enrol: Annotated[
        str | None,
        typer.Option(
            metavar="speaker",
            help="Each speaker's vectors less the mean of some unlabelled clips of theirs; scored "
            "apart, and said in every table.",
        ),
    ] = None,
    enrol_clips: Annotated[
        int | None, typer.Option(min=1, help="How many, with --enrol. [default: 10]")
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Train each fold once more, before, without its dev part, and fit the temperature "
            "of its probabilities there.",
        ),
    ] = False,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps; default: preset's.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of every draw of the training. [default: 0]")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Several, as 0-4 or 0,1,7: --run gets a run for each, seed-0, seed-1, ..."
        ),
    ] = None,
    split_seed: Annotated[int, typer.Option(help="Of hold-outs and development parts.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    precision: Annotated[
        str | None,
        typer.Option(help="Of matrix products: float32, or bfloat16 where that is faster."),
    ] = None,
    allow_slow: Annotated[
        bool,
        typer.Option(
            "--allow-slow", help="Take a precision that is many times slower than float32."
        ),
    ] = False,
    allow_leaks: Annotated[
        bool,
        typer.Option("--allow-leaks", help="Train though the protocol leaks; said with numbers."),
    ] = False,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="Read vectors while training; default: where memory does not hold them.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML with tables [model] and [training].")
    ] = None,
    mean: Annotated[
        str | None, typer.Option(help="Of gen-ser, its mean schedule (Eq. 6): {means}.")
    ] = None,
    variance: Annotated[
        str | None,
        typer.Option(
            help="Of gen-ser, transformer-mse and a noisy transformer-ce, the variance schedule "
            "(Eq. 7): {variances}."
        ),
    ] = None,
    codes: Annotated[
        str | None,
        typer.Option(help="Of those and closed-form, the codes of the classes (Eq. 2): {codes}."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Of gen-ser, what its network gives (Eq. 8): {targets}.")
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(help="How layers reach a network: sum (paper), concat, tokens or one."),
    ] = None,
    sampler: Annotated[
        str | None, typer.Option(help="Of gen-ser, how it answers (Algorithm 2): {samplers}.")
    ] = None,
    readout: Annotated[
        str | None,
        typer.Option(help="Which vector it classifies (Eq. 12): estimate, state or after."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --run.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --run.")] = False,
) -> None:
    """Train a model on cached vectors, one per fold, and answer each fold's test clips."""
    from gensr.cli import console
    from gensr.cli.evaluate import line
    from gensr.estimator.errors import ConfigError
    from gensr.estimator.parallel import is_first
    from gensr.pipeline.runs.sets import parse_seeds
    from gensr.pipeline.scoring.evaluate import score
    from gensr.pipeline.scoring.left_out import left_out
    from gensr.pipeline.training.config import TrainConfig
    from gensr.pipeline.training.seeds import train_seeds
    from gensr.pipeline.training.train import train

    several = None if seeds is None else parse_seeds(seeds)
    if several is not None and seed is not None:
        raise ConfigError(f"--seed {seed} has no say beside --seeds {seeds}: pass one of them")
    if enrol_clips is not None and enrol is None:
        raise ConfigError(f"--enrol-clips {enrol_clips} has no say without --enrol speaker")

    named = {
        "mean": mean,
        "variance": variance,
        "codes": codes,
        "target": target,
        "sampler": sampler,
        "readout": readout,
    }
    request = TrainConfig(
        model=model,
        preset=preset,
        label=label,
        labels=labels,
        protocol=protocol,
        fold=fold,
        layers=_names(layers),
        choose=choose,
        calibrate=calibrate,
        enrol=enrol,
        enrol_clips=enrol_clips or 10,
        steps=steps,
        seed=seed or 0,
        split_seed=split_seed,
        device=device,
        precision=precision,
        allow_slow=allow_slow,
        allow_leaks=allow_leaks,
        stream=stream,
        settings=config,
        options={key: name for key, name in named.items() if name is not None}
        | ({} if inputs is None else {"inputs": {"way": inputs}}),
    )
    with console.Bars() as bars:
        how: dict[str, Any] = {
            "folder": run,
            "resume": resume,
            "overwrite": overwrite,
            "progress": bars if is_first() else None,
        }
        if several is None:
            reports = [train(stores, request, **how)]
        else:
            reports = [*train_seeds(stores, request, several, **how)[1]]
    if not reports[0].leads:
        return
    for said in dict.fromkeys(note for report in reports for note in report.notes):
        console.note(said)
    for report in reports:
        where, about = report.run.folder, f"{report.protocol.name} ({report.protocol.hash})"
        if fold == "none":
            told = "learnt from every clip, never tested; ready to predict"
        else:
            told = f"{about}, {line(score(report.run.predictions(), report.run.protocol))}"
        console.print_plain(f"{where}: {told}")
    if fold != "none":
        tested = sum(len(one.test) > 0 for one in reports[0].protocol.folds)
        console.note(left_out({"": len(reports)}, 1 if fold != "all" else tested))


def _names(layers: str | None) -> tuple[str, ...] | None:
    """The layers of a list with commas; `none` is K = 0."""
    if layers is None:
        return None
    return () if layers == "none" else tuple(name.strip() for name in layers.split(","))
