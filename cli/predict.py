"""`gensr predict`: the emotion of clips."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "predict"
EPILOG = """**Examples**

gensr predict clip.wav --run runs/deploy

gensr predict "talk.wav#t=1.5,4" --run runs/deploy

gensr predict folder/ --run runs/deploy --json

gensr predict manifest.csv --run runs/deploy

A part of a file is named by its seconds, `#t=START,END`, and its channel, `#channel=0`; in a
manifest by columns `start`, `end` and `channel`.
"""


def command(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="AUDIO", help="Files, parts, folders, manifests.")
    ],
    run: Annotated[Path, typer.Option(help="A run trained with --fold none.")],
    encoder: Annotated[
        str | None, typer.Option(help="Where the encoder is now, if it was moved.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    allow_errors: Annotated[
        int, typer.Option(min=0, help="Unusable files that still count as success.")
    ] = 0,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Manifest paths may lead out of its folder.")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Probabilities as the model gives them, not calibrated."),
    ] = False,
    enrol: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="AUDIO",
            help="Unlabelled clips of the one who speaks in all AUDIO, for a run of `train --enrol "
            "speaker`. May be repeated.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Answer audio files with a deployed model: the class and its probability."""
    from gensr.cli import console
    from gensr.pipeline.use.predict import predict

    with console.Bars() as bars:
        found = predict(
            inputs,
            run,
            encoder=encoder,
            device=device,
            allow_outside=allow_outside,
            raw=raw,
            enrol=enrol,
            progress=bars,
        )
    for said in found.notes:
        console.note(said)
    for problem in found.failed:
        console.note(f"{problem.path}: {problem.reason}")
    if as_json:
        answers = [
            {"path": a.path, "predicted": a.predicted, "probabilities": a.probabilities}
            for a in found.rows
        ]
        failed = [{"path": p.path, "reason": p.reason} for p in found.failed]
        console.print_json(
            {
                "run": str(run),
                "temperature": found.temperature,
                "doubt": found.doubt,
                "predictions": answers,
                "failed": failed,
            }
        )
    else:
        rows = [
            [answer.path, answer.predicted, f"{answer.probabilities[answer.predicted]:.2f}"]
            for answer in found.rows
        ]
        console.table(f"{run}", ["clip", "predicted", "probability"], rows)
        if found.temperature is not None:
            console.print_plain(
                f"probabilities after temperature {found.temperature:.2f}, "
                f"doubt {found.doubt:.3f}; --raw leaves both out"
            )
    if len(found.failed) > allow_errors:
        console.note(
            f"{len(found.failed)} unusable files, {allow_errors} allowed; mend them, or pass "
            f"--allow-errors {len(found.failed)}"
        )
        raise typer.Exit(1)
