"""`gensr report`: runs as one page that people look at."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "report"
EPILOG = """**Examples**

gensr report

gensr report runs/emodb-gen-ser runs/emodb-linear --audio corpora/emodb

gensr report runs/emodb-gen-ser --no-models --out emodb.html
"""


def command(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN", help="The first is reported; default: the newest in runs/."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page; default: RUN/report.html.")
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(metavar="CORPUS", help="Its folder: the worst errors can be heard then."),
    ] = None,
    store: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH|URL", help="Where the vectors are now, if they were moved."),
    ] = None,
    models: Annotated[
        bool,
        typer.Option(
            "--models/--no-models",
            help="Ask the first run's models again, for layers, N, trajectory and map.",
        ),
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Write one page about a run, beside others: numbers, errors, layers, protocol, provenance.

    Every figure is written as PNG and its data as CSV too, in the folder `report` beside the page.
    """
    from gensr.cli import console
    from gensr.pipeline.report.report import report
    from gensr.pipeline.runs.run import newest

    with console.Bars() as bars:
        written = report(
            list(runs) if runs else [newest(Path("runs"))],
            out=out,
            audio=audio,
            stores=store,
            ask_models=models,
            device=device,
            progress=bars,
        )
    for alert in written.report.alerts:
        console.note(alert)
    console.print_plain(f"{written.page}, {len(written.files)} files in {written.beside}")
