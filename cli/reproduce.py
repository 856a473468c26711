"""`gensr reproduce`: the paper's experiments, with whatever corpora and encoders there are."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "reproduce"
EPILOG = """**Examples**

gensr reproduce table1 --corpora corpora/

gensr reproduce table1 --corpora corpora/ --encoder TencentGameMate/chinese-hubert-large --preset paper

gensr reproduce table3 --corpora corpora/ --encoder models/whisper-base --seeds 0-4

The same command goes on where it was stopped; experiments share what they have in common.
"""  # noqa: E501 (a command that can be pasted)


def command(
    experiment: Annotated[
        str, typer.Argument(metavar="table1|table2|table3|fig1", help="Of the paper.")
    ],
    corpora: Annotated[Path, typer.Option(help="Folder that holds the corpora.")],
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Hub id, folder or fbank; may be repeated. Default: the paper's, where they are "
            "here already, and fbank."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where stores, runs and results go.")] = Path(
        "reproduced"
    ),
    seeds: Annotated[str, typer.Option(help="Several, as 0-4 or 0,1,7.")] = "0-4",
    preset: Annotated[
        str, typer.Option(help="`small` for two CPU cores, `paper` for the paper's sizes.")
    ] = "small",
    steps: Annotated[int | None, typer.Option(help="Optimizer steps; default: preset's.")] = None,
    context: Annotated[str, typer.Option(help="Whisper only: full or clip.")] = "full",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run an experiment of the paper: its figures, ours with intervals, and what is missing."""
    from gensr.cli import console
    from gensr.pipeline.reproduce.reproduce import reproduce
    from gensr.pipeline.reproduce.systems import Budget
    from gensr.pipeline.runs.sets import parse_seeds

    budget = Budget(
        seeds=parse_seeds(seeds), preset=preset, steps=steps, context=context, device=device
    )
    with console.Bars() as bars:
        found = reproduce(
            experiment, corpora, encoders=encoder or (), out=out, budget=budget, progress=bars
        )
    for said in found.notes:
        console.note(said)
    if as_json:
        console.print_json(found.as_json())
        return
    for table in found.tables:
        console.table(table.title, table.columns, table.rows)
        for said in table.notes:
            console.print_plain(said)
    for line in found.lacking:
        console.print_plain(f"to obtain: {line}")
    for path in (*found.pictures, *found.files):
        console.print_plain(str(path))
