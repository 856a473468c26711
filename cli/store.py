"""`gensr store`: is a store sound, the same in the other container, several as one."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "store"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Check, convert and merge stores.",
    epilog="""**Examples**

gensr store verify ravdess.zarr

gensr store merge emodb.zarr ravdess.zarr --out both.zarr

gensr store convert ravdess.zarr ravdess.h5
""",
)

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there.")]


@app.command(
    epilog="""**Examples**

    gensr store verify emodb.zarr

    gensr store verify emodb.zarr --audio corpora/emodb
    """
)
def verify(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Store to read, whole.")],
    audio: Annotated[
        Path | None,
        typer.Option(help="The corpus it was made of: every file is hashed as well."),
    ] = None,
) -> None:
    """Read a store whole and compare it with its checksums; tell all damage, one line each."""
    from gensr.cli import console
    from gensr.estimator.errors import ConfigError
    from gensr.features.store import verify as stage

    if audio is not None and audio.is_file():  # a manifest: its paths are relative to its folder
        audio = audio.parent
    if audio is not None and not audio.is_dir():
        raise ConfigError(f"--audio {audio}: no such folder")
    clips = _clips(store)
    with console.Bars() as bars:
        bars.stage("verify", clips if audio is None else 2 * clips)
        found = stage.verify(store, audio=audio, advance=bars.advance)
    for told in (*found.faults, *found.notes):
        console.note(told)
    if found.faults:
        raise typer.Exit(1)
    heard = f", {found.heard} audio files" if audio is not None else ""
    console.print_plain(
        f"{store}: sound; {found.clips} clips in {found.shards} shards, "
        f"{found.columns} columns{heard}"
    )


@app.command(
    epilog="""**Examples**

    gensr store merge emodb.zarr ravdess.zarr --out both.zarr

    gensr store merge machine1.zarr machine2.h5 --out corpus.h5
    """
)
def merge(
    stores: Annotated[
        list[str],
        typer.Argument(metavar="STORE", help="Stores of one encoder, two or more."),
    ],
    out: Annotated[
        str,
        typer.Option(metavar="PATH|URL", help="Store to write: .zarr, .h5 or .hdf5."),
    ],
    shard_clips: Annotated[
        int | None, typer.Option(help="Clips of one shard; default: the first store's.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write several stores as one, in the order given; a clip that two of them have, once."""
    from gensr.cli import console
    from gensr.features.store import merge as stage
    from gensr.features.store import open_store

    with console.Bars() as bars:
        bars.stage("merge", sum(_clips(store) for store in stores))
        stage.merge(stores, out, shard_clips=shard_clips, overwrite=overwrite, advance=bars.advance)
    with open_store(out) as merged:
        console.print_plain(
            f"{out}: {len(merged)} clips of {len(stores)} stores, {merged.header.failed} unusable"
        )


@app.command(
    epilog="""**Examples**

    gensr store convert emodb.zarr emodb.h5

    gensr store convert emodb.h5 emodb.zarr --overwrite

    gensr store convert old.zarr new.zarr
    """
)
def convert(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Store to read.")],
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="Store to write: .zarr, .h5 or .hdf5."),
    ],
    overwrite: Overwrite = False,
) -> None:
    """Write a store in the other container, or in today's format, without loss."""
    from gensr.cli import console
    from gensr.features.store import convert as stage

    clips = _clips(source)
    with console.Bars() as bars:
        bars.stage("convert", clips)
        stage.convert(source, target, overwrite=overwrite, advance=bars.advance)
    console.print_plain(f"{target}: {clips} clips")


def _clips(path: str) -> int:
    from gensr.features.store import open_store

    with open_store(path) as store:
        return len(store)
