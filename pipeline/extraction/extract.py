"""Extraction: a corpus of speech in, a store of per-layer time averages out.

    scan -> survey -> plan -> encode shard by shard -> verify -> commit

Nothing is decided while encoding: the survey hears every file first, so the rows, the members
of every shard and the batches follow from the clip table and the settings alone. That is what
makes a resumed store byte-equal to one made in one go, and what lets shards be encoded anywhere:
in this process (local.py) or by the workers of a cluster (cluster.py).

Clips that cannot be used do not stop an extraction. The store is written for the others, names
the failed ones in a table of its own, and the report says whether there were more of them than
allowed; the command line then exits with 1, and the store is there all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.corpora import Problem, Scan, scan
from gensr.features.corpora.errors import CorpusError
from gensr.features.encoders import Encoder, EncoderMemoryError
from gensr.features.encoders.errors import EncoderError
from gensr.features.hearing.survey import Survey, survey
from gensr.features.store.bounds import check_shard
from gensr.features.store.job import Job, open_job
from gensr.features.store.plan import Plan, Shard, plan_of
from gensr.features.store.where import Location, Where, local, locate
from gensr.pipeline.extraction import survey_log
from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.encoder_folders import remember
from gensr.pipeline.extraction.executor import Executor
from gensr.pipeline.extraction.local import local_executor
from gensr.pipeline.extraction.rows import check_clips, clip_table, failed_table
from gensr.pipeline.extraction.settings import ExtractionSettings
from gensr.pipeline.extraction.verification import Verification, verify
from gensr.pipeline.progress import Listener, Silent, say

__all__ = ["ExtractConfig", "ExtractReport", "extract"]


_DEFAULT = ExtractConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractReport:
    """What an extraction did."""

    out: Where
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
    verification: Verification | None = None
    """What re-running clips alone has shown, where it was asked for."""
    notes: tuple[str, ...] = ()
    """What the scan of the corpus found worth saying."""

    @property
    def ok(self) -> bool:
        """Whether no more files failed than allowed."""
        return len(self.failed) <= self.allowed


def extract(
    corpus: Location,
    out: Location,
    config: ExtractConfig = _DEFAULT,
    *,
    encoder: Encoder | None = None,
    progress: Listener | None = None,
) -> ExtractReport:
    """Encode a corpus into a store, or add it to one, or finish what was interrupted.

    Args:
        corpus: a folder of a known corpus or of class folders, or a manifest.
        out: the store, `.zarr`, `.h5` or `.hdf5`; a path or a URL.
        config: the settings; default: the paper's encoder.
        encoder: used instead of the one that `config` names; on a cluster it is sent along.
        progress: told of the stages `survey`, `encode`, `verify` and, for HDF5, `convert`,
            in clips.

    Raises:
        CorpusError: there is no clip to use.
        ConfigError: `encoder` cannot be sent to workers, or is too large to be with every shard.
        EncoderError: the encoder cannot be loaded or used, or does not stand a verification.
        StoreError: `out` is locked, no store, made with other settings, or cannot be written.
        ClusterError: there is no cluster, its workers differ or do not see the files, or die.
    """
    listener = progress or Silent()
    place = locate(out)
    found = scan(local(corpus), allow_outside=config.allow_outside)
    if (config.workers or config.cluster) and Path(config.encoder).is_dir():
        # Workers start in folders of their own.
        config = replace(config, encoder=str(Path(config.encoder).absolute()))
    with ExitStack() as stack:
        job = stack.enter_context(open_job(place, overwrite=config.overwrite))
        if config.shard_clips is None:
            config = replace(config, shard_clips=job.shard_clips)
        # Of files that a store or an interrupted run knows, most are only hashed.
        fresh = len(found.clips) if job.base is None and not job.interrupted else 0
        executor = stack.enter_context(_executor(config, encoder, fresh))
        unsaid = say(listener, executor.notes)
        settings = executor.settings(found.root, job.folder)
        check_shard(settings.shard_clips, len(settings.layers), settings.width)
        if encoder is None and Path(config.encoder).is_dir():
            remember(settings.encoder, Path(config.encoder))
        settings = job.agree(settings)
        plan, problems = _plan(found, job, settings, executor, listener)
        verification = writing = None
        if job.is_done(plan) and not config.verify:
            job.drop()
        else:
            writing = job.start(plan)
            with _advised():
                executor.encode(found.root, settings, writing, listener)
                if config.verify:
                    verification = verify(
                        found, settings, writing, executor, config.verify, listener
                    )
            if writing.streams:
                listener.stage("convert", plan.header.clips)
            writing.commit(
                lambda clips: listener.advance(clips),
                verification=None if verification is None else verification.as_json(),
            )
        written = () if writing is None else writing.pending
        notes = (*unsaid, *found.notes, *_kept(found, job))
        return _report(place, config, problems, plan, written, verification, notes)


@contextmanager
def _advised() -> Iterator[None]:
    """Say what helps where memory runs out: batches are settled by the plan, so another plan."""
    try:
        yield
    except EncoderMemoryError as error:
        raise EncoderError(
            f"{error}: begin anew by --overwrite with smaller --batch-seconds, shorter "
            "--max-seconds, or --dtype bfloat16"
        ) from error


def _executor(
    config: ExtractConfig, encoder: Encoder | None, files: int
) -> AbstractContextManager[Executor]:
    """Decide where the encoder runs; `files` are likely to be heard."""
    if config.workers is None and config.cluster is None:
        return local_executor(config, encoder, files)
    from gensr.pipeline.extraction.cluster import (
        cluster_executor,  # dask.distributed: an extra, and slow to import
    )

    return cluster_executor(config, encoder)


def _survey(
    found: Scan, job: Job, hearing: Mapping[str, Any], executor: Executor, listener: Listener
) -> Survey:
    how = {**hearing, **executor.decoders()}
    listener.stage("survey", len(found.clips))
    known = survey_log.known(job, how)
    with survey_log.keeping(job, how, known) as keep:
        heard = survey(
            found.root,
            found.clips,
            known=known,
            hear=executor.hear,
            keep=keep,
            advance=listener.advance,
        )
    if not heard.heard:
        first = heard.problems[0]
        raise CorpusError(
            f"{found.root}: none of {len(heard.problems)} clips can be used; "
            f"the first, {first.path}: {first.reason}"
        )
    return heard


def _plan(
    found: Scan, job: Job, settings: ExtractionSettings, executor: Executor, listener: Listener
) -> tuple[Plan, tuple[Problem, ...]]:
    """Hear every file, and decide every row; what was heard is then in the plan's table alone."""
    check_clips(found.clips, () if job.base is None else job.base.header.columns)
    heard = _survey(found, job, settings.hearing, executor, listener)
    problems = (*found.problems, *heard.problems)
    base = None if job.base is None else job.base.table
    columns = clip_table(heard.heard, problems, base)
    failed = failed_table(heard.heard, problems, None if job.base is None else job.base.failed)
    return plan_of(settings, columns, failed, base), problems


def _report(
    out: Where,
    config: ExtractConfig,
    problems: Sequence[Problem],
    plan: Plan,
    written: Sequence[Shard],
    verification: Verification | None,
    notes: tuple[str, ...],
) -> ExtractReport:
    samples = plan.columns["samples"]
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
        seconds=float(samples.sum()) / SAMPLE_RATE,
        encoded_seconds=float(samples[encoded].sum()) / SAMPLE_RATE,
        shards=len(plan.shards),
        verification=verification,
        notes=notes,
    )


def _kept(found: Scan, job: Job) -> list[str]:
    """Say which rows of the store this corpus does not have: other corpora's, or removed files'."""
    before = [] if job.base is None else job.base.table["path"].tolist()
    gone = len(set(before) - {clip.path for clip in found.clips})
    if not gone:
        return []
    return [f"{gone} rows of the store are not in this corpus; kept (--overwrite drops them)"]
