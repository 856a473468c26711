"""`gensr lint`: what is wrong with clips, and with how they are split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gensr.pipeline.lint.findings import Findings, Shortcut

NAME = "lint"
EPILOG = """**Examples**

gensr lint corpora/savee --protocol savee-loso

gensr lint emodb.zarr --protocol speaker-holdout --json

gensr lint emodb.zarr --audio corpora/emodb

gensr lint emodb.zarr ravdess.zarr --protocol cross-corpus:ravdess:emodb
"""


def command(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS|STORE|MANIFEST...",
            help="What to look at: corpora, or stores; several as for gensr train.",
        ),
    ],
    protocol: Annotated[
        str | None, typer.Option(help="As for gensr train; default: the corpus's own.")
    ] = None,
    label: Annotated[
        str, typer.Option(help="What would be predicted: emotion, gender, speaker, or a column.")
    ] = "emotion",
    labels: Annotated[
        str | None,
        typer.Option(help="Emotion words: native (default for one corpus) or canonical."),
    ] = None,
    split_seed: Annotated[int, typer.Option(help="Of hold-outs.")] = 0,
    audio: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CORPUS",
            help="Where the files of a STORE are: listen to them too. Of several, one for each.",
        ),
    ] = None,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Leaks are warnings, and the exit status is 0.")
    ] = False,
    allow_outside: Annotated[
        bool,
        typer.Option("--allow-outside", help="A manifest may name files outside its folder."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look for leaks, shortcuts, copies and bad files; exit with 1 where no number could hold."""
    from gensr.cli import console
    from gensr.pipeline.lint.lint import lint

    with console.Bars() as bars:
        found = lint(
            places,
            protocol=protocol,
            label=label,
            labels=labels,
            split_seed=split_seed,
            audio=audio,
            allow_leaks=allow_leaks,
            allow_outside=allow_outside,
            progress=bars,
        )
    if as_json:
        console.print_json(found.as_json())
    else:
        _show(found)
    if found.fatal:
        raise typer.Exit(1)


def _show(found: "Findings") -> None:
    from gensr.cli import console

    for line in found.lines():
        console.print_plain(line)
    if found.shortcuts:
        rows = [_row(one) for one in found.shortcuts]
        majority = 100 * found.shortcuts[0].majority
        console.table(
            f"{found.protocol}: one column alone, majority class {majority:.1f} %",
            ["column", "accuracy %", "values", "known", "tested", "flag"],
            rows,
        )
    asked = f", protocol {found.protocol} ({found.hash})" if found.protocol else ""
    console.print_plain(f"{found.clips} clips{asked}: {_verdict(found)}")


def _row(one: "Shortcut") -> list[str]:
    span = f" [{100 * one.interval[0]:.1f}, {100 * one.interval[1]:.1f}]" if one.interval else ""
    value = f"{100 * one.accuracy:.1f}{span}"
    flag = "shortcut" if one.flagged else "-"
    return [one.column, value, str(one.values), str(one.known), str(one.n), flag]


def _verdict(found: "Findings") -> str:
    from gensr.pipeline.lint.findings import WEIGHTS

    counts = [sum(one.weight == weight for one in found.findings) for weight in WEIGHTS]
    fatal, warnings, notes = counts
    return f"{fatal} fatal, {warnings} warnings, {notes} notes"
