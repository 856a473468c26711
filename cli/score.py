"""`gensr score`: the numbers of any system's answers, by the protocol of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gensr.pipeline.scoring.foreign import Scored

NAME = "score"
EPILOG = """**Examples**

gensr score answers.csv --protocol runs/emodb-gen-ser

gensr score answers.csv --protocol emodb-loso --store emodb.zarr

gensr score qwen2-audio.jsonl --protocol runs/meld --name Qwen2-Audio --out scores/qwen2-audio
"""


def command(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="ANSWERS", help="CSV with any separator, TSV or JSON lines: path, answer."
        ),
    ],
    protocol: Annotated[
        str,
        typer.Option(
            metavar="RUN|FILE|NAME",
            help="A run that was asked the same, or protocol.json; with --store a protocol's name.",
        ),
    ],
    store: Annotated[
        list[str] | None,
        typer.Option(help="Whose clips --protocol NAME asks for. May be repeated."),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="With --store, what is asked. [default: emotion]")
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="With --store, native or canonical emotions.")
    ] = None,
    split_seed: Annotated[
        int | None, typer.Option(help="With --store, of hold-outs. [default: 0]")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of the system; default: the table's file name.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep it there, for `gensr compare`."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what --out has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score another system's answers: free text is mapped to classes, what is none is wrong."""
    from gensr.cli import console
    from gensr.estimator.errors import ConfigError
    from gensr.pipeline.scoring.foreign import score_answers

    given = {"--label": label, "--labels": labels, "--split-seed": split_seed}
    for option, value in given.items():
        if value is not None and not store:
            raise ConfigError(
                f"{option} {value} has no say without --store: a run's question is what it was"
            )
    found = score_answers(
        table,
        protocol,
        name=name,
        stores=store or None,
        label=label or "emotion",
        labels=labels,
        split_seed=split_seed or 0,
    )
    if out is not None:
        found.write(out, overwrite=overwrite)
    if as_json:
        console.print_json(found.as_json())
        return
    _show(found)
    if out is not None:
        console.print_plain(str(out))


def _show(found: "Scored") -> None:
    from gensr.cli import console
    from gensr.cli.evaluate import cell
    from gensr.pipeline.scoring.left_out import left_out

    about = found.protocol
    rows = [
        [what, str(numbers.n), cell(numbers, "accuracy"), cell(numbers, "uar")]
        for what, numbers in (("all clips", found.numbers), ("answered only", found.answered))
        if numbers is not None
    ]
    title = f"{found.system}: {about.name} ({about.hash}), {about.label}"
    console.table(title, ["", "n", "WA %", "UAR %"], rows)
    majority = 100 * found.numbers.values["majority_baseline"]
    console.print_plain(
        f"n = {found.numbers.n}, majority class {majority:.1f} %, 95 % intervals over "
        f"{found.numbers.clusters} {about.cluster}s"
    )
    folds = len({given.fold for given in found.predictions})
    console.print_plain(f"note: {left_out({found.system: 0}, folds)}")
    told = ", ".join(f"{count} {kind}" for kind, count in found.outcomes.items())
    console.print_plain(f"answers: {told}; what is not mapped counts as wrong")
    for kind, texts in found.examples.items():
        console.print_plain(f"{kind}: " + "; ".join(f"“{text[:80]}”" for text in texts))
    for why, count in found.passed_over.items():
        console.note(f"{count} rows are passed over: {why}")
