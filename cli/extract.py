"""`gensr extract`: a corpus of speech to a store of vectors."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "extract"
EPILOG = """**Examples**

gensr extract corpora/ravdess --out ravdess.zarr

gensr extract corpora/emodb --encoder models/whisper-base --out emodb.h5

gensr extract corpora/emodb --encoder fbank --out emodb.zarr

The same call again goes on where a killed one stopped, and adds clips that are new.
"""


def command(
    corpus: Annotated[
        Path,
        typer.Argument(help="Folder of a known corpus, of one folder per class, or a manifest."),
    ],
    out: Annotated[Path, typer.Option(help="Store to write: .zarr, .h5 or .hdf5.")],
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Hub id, folder, or `fbank`; default: the paper's, chinese-hubert-large."
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision on the hub to pin.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[
        str, typer.Option(help="float32, bfloat16 or float16 inside the encoder.")
    ] = "float32",
    context: Annotated[
        str,
        typer.Option(
            help="Whisper only: `full` 30 s window as trained, or the `clip` alone, far cheaper."
        ),
    ] = "full",
    batch_seconds: Annotated[
        float, typer.Option(help="Audio of one batch, s; bounds the encoder's memory.")
    ] = 100.0,
    shard_clips: Annotated[int, typer.Option(help="Clips of one shard, the unit of work.")] = 256,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    allow_errors: Annotated[
        int, typer.Option(help="Unusable files that still count as success.")
    ] = 0,
) -> None:
    """Encode a corpus once: per-layer time averages of a frozen encoder, written to a store."""
    from gensr.cli import console
    from gensr.features.encoders import DEFAULT_ENCODER
    from gensr.pipeline.extract import ExtractConfig, extract

    config = ExtractConfig(
        encoder=DEFAULT_ENCODER if encoder is None else encoder,
        revision=revision,
        device=device,
        dtype=dtype,
        context=context,
        batch_seconds=batch_seconds,
        shard_clips=shard_clips,
        overwrite=overwrite,
        allow_errors=allow_errors,
    )
    with console.Bars() as bars:
        report = extract(corpus, out, config, progress=bars)
    for said in report.notes:
        console.note(said)
    for problem in report.failed:
        console.note(f"{problem.path}: {problem.reason}")
    console.print_plain(
        f"{report.out}: {report.clips} clips, {report.seconds / 3600:.2f} h; {report.encoded} "
        f"encoded, {report.copied} copied, {report.skipped} done before, "
        f"{len(report.failed)} unusable"
    )
    if not report.ok:
        console.note(
            f"{len(report.failed)} unusable files, {report.allowed} allowed: the store holds the "
            f"others; mend the files, or pass --allow-errors {len(report.failed)}"
        )
        raise typer.Exit(1)
