"""Extraction: a corpus of speech in, a store of per-layer time averages out.

    scan -> survey -> plan -> encode shard by shard -> commit

Nothing is decided while encoding: the survey hears every file first, so the rows, the members
of every shard and the batches follow from the clip table and the settings alone. That is what
makes a resumed store byte-equal to one made in one go, and what lets shards be encoded anywhere.

Clips that cannot be used do not stop an extraction. The store is written for the others, names
the failed ones in a table of its own, and the report says whether there were more of them than
allowed; the command line then exits with 1, and the store is there all the same.
"""

import json
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gensr.estimator.errors import AudioError, ConfigError, CorpusError, StoreError
from gensr.features.audio import SAMPLE_RATE, Waveform, read_audio, resampling_provenance
from gensr.features.batching import plan_batches
from gensr.features.corpora import Problem, Scan, scan
from gensr.features.encoders import DEFAULT_ENCODER, Encoder, load_encoder
from gensr.features.store import schema
from gensr.features.store.job import Job, open_job, plan_header
from gensr.features.store.plan import Plan, Shard, plan_shards
from gensr.features.store.table import merge, merge_failed
from gensr.features.survey import Survey, in_order, survey
from gensr.pipeline.progress import Hears, Silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WRITES_AHEAD = 2
"""Shards that may wait for the disk: with the one being filled, they bound the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """What an extraction depends on, beside the corpus."""

    encoder: str = DEFAULT_ENCODER
    """`fbank`, a folder in Hugging Face layout, or a hub id (default: the paper's)."""
    revision: str | None = None
    """Revision on the hub; recorded resolved, so that the vectors can be made again."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:N`; not part of what a store is."""
    dtype: str = "float32"
    """Precision inside the encoder; averages and the store are float32 always (ours)."""
    context: str = "full"
    """Whisper only: `full` 30 s window, as trained, or the `clip`'s own frames (ours)."""
    batch_seconds: float = 100.0
    """Audio of one batch in seconds, padding included (ours); bounds the encoder's memory."""
    shard_clips: int = 256
    """Rows of one shard (ours): 25 MiB for 25 layers of width 1024."""
    allow_errors: int = 0
    """Files that may be unusable before the report counts as failed."""
    overwrite: bool = False
    """Replace a store that is there; anything that is not a store is never replaced."""

    def __post_init__(self) -> None:
        if not self.encoder:
            raise ConfigError("encoder is empty: pass `fbank`, a folder, or a hub id")
        if not (math.isfinite(self.batch_seconds) and self.batch_seconds > 0):
            raise ConfigError(f"batch_seconds is {self.batch_seconds}: it must be above 0")
        if self.shard_clips < 1:
            raise ConfigError(f"shard_clips is {self.shard_clips}: it must be at least 1")
        if self.allow_errors < 0:
            raise ConfigError(f"allow_errors is {self.allow_errors}: it must be at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractReport:
    """What an extraction did."""

    out: Path
    clips: int
    """Rows in the store now."""
    encoded: int
    """Clips that went through the encoder in this call."""
    copied: int
    """Clips whose audio was somewhere else already: vectors copied, nothing encoded."""
    skipped: int
    """Clips that were done before: in the store, or by the run that was resumed."""
    failed: tuple[Problem, ...]
    """Files of the corpus that cannot be used."""
    allowed: int
    """How many of those were allowed."""
    seconds: float
    """Audio of all rows."""
    encoded_seconds: float
    """Audio that went through the encoder in this call."""
    shards: int
    """Shards of the store."""
    notes: tuple[str, ...] = ()
    """What the scan of the corpus found worth saying."""

    @property
    def ok(self) -> bool:
        """Whether no more files failed than allowed."""
        return len(self.failed) <= self.allowed


def extract(
    root: Path,
    out: Path,
    config: ExtractConfig,
    *,
    encoder: Encoder | None = None,
    progress: Hears | None = None,
) -> ExtractReport:
    """Encode a corpus into a store, or add it to one, or finish what was interrupted.

    Args:
        root: the corpus: a folder or a manifest, as `scan` takes it.
        out: the store, `.zarr`, `.h5` or `.hdf5`.
        config: the settings.
        encoder: used instead of the one that `config` names.
        progress: hears of the stages `survey`, `encode` and, for HDF5, `convert`, in clips.

    Raises:
        CorpusError: there is no clip to use.
        EncoderError: the encoder cannot be loaded or used.
        StoreError: `out` is locked, no store, made with other settings, or cannot be written.
    """
    hears = progress or Silent()
    found = scan(root)
    with open_job(out, overwrite=config.overwrite) as job:
        if encoder is None:
            encoder = load_encoder(
                config.encoder,
                revision=config.revision,
                device=config.device,
                dtype=config.dtype,
                context=config.context,
            )
        settings = _settings(encoder, config)
        job.agree(settings)
        heard = _survey(found, job, settings["preprocessing"], hears)
        problems = (*found.problems, *heard.problems)
        plan = _plan(heard, problems, job, settings)
        if job.is_done(plan):
            job.drop()
        else:
            job.start(plan)
            _encode_pending(found.root, job, plan, encoder, hears)
            if out.suffix in schema.HDF5_SUFFIXES:
                hears.stage("convert", plan.header.clips)
            job.commit(lambda clips: hears.advance(clips))
        return _report(out, config, found, problems, plan, job)


def _settings(encoder: Encoder, config: ExtractConfig) -> dict[str, Any]:
    """Return all that decides vectors, shards and batches, as it reads back from JSON."""
    settings: dict[str, Any] = json.loads(
        json.dumps(
            {
                "encoder": encoder.provenance(),
                "layers": encoder.layers,
                "width": encoder.width,
                "preprocessing": resampling_provenance(),
                "shard_clips": config.shard_clips,
                "batch_samples": max(1, round(config.batch_seconds * SAMPLE_RATE)),
                "equal_lengths": encoder.equal_lengths,
            }
        )
    )
    return settings


def _survey(found: Scan, job: Job, preprocessing: Mapping[str, Any], hears: Hears) -> Survey:
    hears.stage("survey", len(found.clips))
    heard = survey(
        found.root,
        found.clips,
        known=job.verdicts(preprocessing),
        read=read_audio,
        advance=hears.advance,
    )
    if not heard.heard:
        first = heard.problems[0]
        raise CorpusError(
            f"{found.root}: none of {len(heard.problems)} clips can be used; "
            f"the first, {first.path}: {first.reason}"
        )
    job.keep_verdicts(heard.verdicts, preprocessing)
    return heard


def _plan(
    heard: Survey, problems: Sequence[Problem], job: Job, settings: Mapping[str, Any]
) -> Plan:
    base = None if job.base is None else job.base.table
    columns = merge(heard.heard, problems, base)
    failed = merge_failed(heard.heard, problems, None if job.base is None else job.base.failed)
    header = schema.Header(
        clips=0,
        failed=len(failed["path"]),
        audios=0,
        layers=tuple(settings["layers"]),
        width=settings["width"],
        shard_clips=settings["shard_clips"],
        columns=(),
        encoder=settings["encoder"],
        preprocessing=settings["preprocessing"],
    )
    return Plan(
        header=plan_header(header, columns),
        columns=columns,
        failed=failed,
        shards=plan_shards(columns, base, header.shard_clips),
        settings=settings,
    )


def _encode_pending(root: Path, job: Job, plan: Plan, encoder: Encoder, hears: Hears) -> None:
    """Encode what is left, with reading ahead of the encoder and writing behind it."""
    seconds = plan.columns["seconds"]
    batches = [(shard, rows) for shard in job.pending for rows in _batches(plan, shard)]
    every = [row for _, rows in batches for row in rows]
    hears.stage("encode", len(every), float(seconds[every].sum()))
    ahead = 2 * max((len(rows) for _, rows in batches), default=1)
    writes: deque[Future[None]] = deque()
    with (
        ThreadPoolExecutor(min(8, os.cpu_count() or 1), "read") as readers,
        ThreadPoolExecutor(1, "write") as writer,
    ):
        waves = in_order(readers, _reader(root, plan), every, ahead=ahead)
        for shard in job.pending:
            encoded: dict[int, NDArray[np.float32]] = {}
            for rows in _batches(plan, shard):
                vectors = encoder.encode([next(waves).samples for _ in rows])
                encoded.update(zip(rows, vectors, strict=True))
                hears.advance(len(rows), float(seconds[rows].sum()))
            writes.append(writer.submit(job.write, shard, encoded))
            while len(writes) > _WRITES_AHEAD:
                writes.popleft().result()
        while writes:
            writes.popleft().result()


def _batches(plan: Plan, shard: Shard) -> Iterator[list[int]]:
    """Yield the rows of each batch of a shard."""
    lengths = plan.columns["samples"][list(shard.encode)].tolist()
    for batch in plan_batches(
        lengths,
        batch_samples=plan.settings["batch_samples"],
        equal_lengths=plan.settings["equal_lengths"],
    ):
        yield [shard.encode[index] for index in batch]


def _reader(root: Path, plan: Plan) -> Callable[[int], Waveform]:
    """Return a function that decodes a row's clip again, and makes sure it is what was heard."""
    paths, audios = plan.columns["path"], plan.columns["audio_sha256"]

    def read(row: int) -> Waveform:
        path = str(paths[row])
        try:
            wave = read_audio(root / path)
        except AudioError as error:
            raise StoreError(f"{path} changed while it was read: {error}") from None
        if wave.sha256 != audios[row]:
            raise StoreError(f"{path} changed while it was read: run the same call again")
        return wave

    return read


def _report(
    out: Path,
    config: ExtractConfig,
    found: Scan,
    problems: Sequence[Problem],
    plan: Plan,
    job: Job,
) -> ExtractReport:
    written = job.pending
    seconds = plan.columns["seconds"]
    encoded = [row for shard in written for row in shard.encode]
    moved = sum(row != source for shard in written for row, source in shard.base.items())
    copied = moved + sum(len(shard.copies) for shard in written)
    return ExtractReport(
        out=out,
        clips=plan.header.clips,
        encoded=len(encoded),
        copied=copied,
        skipped=plan.header.clips - len(encoded) - copied,
        failed=tuple(problems),
        allowed=config.allow_errors,
        seconds=float(seconds.sum()),
        encoded_seconds=float(seconds[encoded].sum()),
        shards=len(plan.shards),
        notes=(*found.notes, *_kept(found, job)),
    )


def _kept(found: Scan, job: Job) -> list[str]:
    """Say which rows of the store this corpus does not have: other corpora's, or removed files'."""
    before = [] if job.base is None else job.base.table["path"].tolist()
    gone = len(set(before) - {clip.path for clip in found.clips})
    if not gone:
        return []
    return [f"{gone} rows of the store are not in this corpus; kept (--overwrite drops them)"]
