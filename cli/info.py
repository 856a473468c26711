"""`gensr info`: what a store, a run or a corpus is."""

from typing import Annotated

import typer

NAME = "info"
EPILOG = """**Examples**

gensr info ravdess.zarr

gensr info runs/emodb-gen-ser

gensr info corpora/

gensr info corpora/ --all
"""


def command(
    path: Annotated[str, typer.Argument(metavar="STORE|RUN|CORPUS", help="What to look at.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Name every unusable file and every value.")
    ] = False,
) -> None:
    """Tell what a store, a run or a corpus holds, and what is wrong with it."""
    from gensr.cli import console
    from gensr.pipeline.use.describe import describe

    found = describe(path, everything=everything)
    console.print_plain(found.title)
    width = max(len(name) for name, _ in found.facts)
    for name, value in found.facts:
        console.print_plain(f"  {name.ljust(width)}  {value}")
    for said in found.notes:
        console.print_plain(said)
