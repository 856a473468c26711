"""`gensr extract`: a corpus of speech to a store of vectors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gensr.pipeline.extraction.verification import Verification

NAME = "extract"
EPILOG = """**Examples**

gensr extract corpora/ravdess --out ravdess.zarr

gensr extract corpora/emodb --encoder models/whisper-base --out emodb.h5

gensr extract corpora/emodb --encoder fbank --out emodb.zarr --verify 16

gensr extract corpora/meld --out meld.zarr --workers 4

gensr extract corpora/emodb --encoder fbank --perturb noise:20dB,phone --out noisy.zarr

The same call again goes on where a killed one stopped, and adds clips that are new.
"""


def command(
    corpus: Annotated[
        Path,
        typer.Argument(
            help="Folder of a known corpus, of class folders, or a manifest. Known are {corpora}."
        ),
    ],
    out: Annotated[
        str,
        typer.Option(metavar="PATH|URL", help="Store to write: .zarr, .h5 or .hdf5."),
    ],
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Hub id, folder, or {encoders}; default: the paper's, chinese-hubert-large."
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Revision on the hub to pin.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[
        str, typer.Option(help="float32, bfloat16 or float16 inside the encoder.")
    ] = "float32",
    allow_slow: Annotated[
        bool,
        typer.Option("--allow-slow", help="Take a dtype that is many times slower than float32."),
    ] = False,
    store_dtype: Annotated[
        str, typer.Option(help="float32, or float16 for half the bytes, in the store.")
    ] = "float32",
    context: Annotated[
        str,
        typer.Option(
            help="Whisper only: `full` 30 s window as trained, or the `clip` alone, far cheaper."
        ),
    ] = "full",
    max_seconds: Annotated[
        float, typer.Option(help="Longer clips are encoded in windows of at most this, s.")
    ] = 30.0,
    perturb: Annotated[
        str | None,
        typer.Option(
            metavar="KIND:VALUE,...",
            help="Make every clip worse first: noise:20dB, pink:20dB, gain:-12dB, clip:6dB, "
            "reverb:0.5s, phone; from left to right.",
        ),
    ] = None,
    batch_seconds: Annotated[
        float | None,
        typer.Option(
            help="Audio of one batch, s; bounds memory. Default: 5 on a CPU; a GPU's memory says."
        ),
    ] = None,
    shard_clips: Annotated[
        int | None,
        typer.Option(help="Clips of one shard, the unit of work. Default: 256; on a GPU 2048."),
    ] = None,
    verify: Annotated[int, typer.Option(help="Clips to encode once more, alone, and compare.")] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine, a GPU each where there are any.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Scheduler of a dask cluster, tcp://HOST:PORT.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the store.")] = False,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Manifest paths may lead out of its folder.")
    ] = False,
    allow_errors: Annotated[
        int, typer.Option(help="Unusable files that still count as success.")
    ] = 0,
) -> None:
    """Encode a corpus once: per-layer time averages of a frozen encoder, written to a store."""
    from gensr.cli import console
    from gensr.features.encoders import DEFAULT_ENCODER
    from gensr.pipeline.extraction.extract import ExtractConfig, extract

    config = ExtractConfig(
        encoder=DEFAULT_ENCODER if encoder is None else encoder,
        revision=revision,
        device=device,
        dtype=dtype,
        allow_slow=allow_slow,
        store_dtype=store_dtype,
        context=context,
        max_seconds=max_seconds,
        perturb=perturb,
        batch_seconds=batch_seconds,
        shard_clips=shard_clips,
        verify=verify,
        workers=workers,
        cluster=cluster,
        allow_outside=allow_outside,
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
    if report.verification is not None:
        console.print_plain(f"verified: {_told(report.verification)}")
    if not report.ok:
        console.note(
            f"{len(report.failed)} unusable files, {report.allowed} allowed: the store holds the "
            f"others; mend the files, or pass --allow-errors {len(report.failed)}"
        )
        raise typer.Exit(1)


def _told(found: "Verification") -> str:
    origin = f"extracted in {found.batches} batches" if found.batches else "extracted earlier"
    return (
        f"{found.clips} clips ({origin}) encoded again alone; largest relative error "
        f"{found.error:.1e} (layer {found.layer}, bound {found.bound:.0e})"
    )
