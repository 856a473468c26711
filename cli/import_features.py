"""`gensr import-features`: vectors that others made, into a store."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "import-features"
EPILOG = """**Examples**

gensr import-features emotion2vec/ --corpus corpora/emodb --out emodb-e2v.zarr --name emotion2vec

gensr import-features egemaps.csv --corpus labels.csv --out emodb-egemaps.zarr

gensr import-features database/db.egemaps.parquet --out mine.zarr

gensr import-features table.parquet --columns 'F0*,mfcc*' --out mine.zarr
"""


def command(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="PLACE",
            help="Folder of .npy files, (layers, width) or (width,) each; or a .parquet, .csv or "
            ".tsv table, a row an utterance.",
        ),
    ],
    out: Annotated[str, typer.Option(help="The store: .zarr, .h5; a path or a URL.")],
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="What they are of: the corpus's folder, an audformat database, or a table (file, "
            "emotion, speaker, ...). Default: the table's own columns, the database that it lies "
            "in, or the manifest among the files."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What made them; default: the name of PLACE.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="Which columns of a table are features, e.g. 'F0*,mfcc*'; default: lists of "
            "numbers, else all with fractions."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    allow_errors: Annotated[
        int, typer.Option(help="Left-out utterances or vectors that still count as success.")
    ] = 0,
) -> None:
    """Take vectors that others made into a store, to train, evaluate and lint as any."""
    from gensr.cli import console
    from gensr.pipeline.importing.importing import ImportConfig, import_features

    config = ImportConfig(
        corpus=corpus,
        name=name,
        columns=tuple(one.strip() for one in (columns or "").split(",") if one.strip()),
        overwrite=overwrite,
        allow_errors=allow_errors,
    )
    with console.Bars() as bars:
        report = import_features(place, out, config, progress=bars)
    for said in report.notes:
        console.note(said)
    for problem in report.failed:
        console.note(f"{problem.path}: {problem.reason}")
    console.print_plain(
        f"{report.out}: {report.clips} clips, {report.layers} x {report.width}; "
        f"{len(report.failed)} left out"
    )
    if not report.ok:
        console.note(
            f"{len(report.failed)} left out, {report.allowed} allowed: the store holds the others; "
            f"mend what is said above, or pass --allow-errors {len(report.failed)}"
        )
        raise typer.Exit(1)
