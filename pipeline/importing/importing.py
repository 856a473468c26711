"""Vectors that others made, into a store like any other: trained on, evaluated and linted as one.

    vectors by name + what is said of the utterances -> rows -> shards -> commit

A store holds hashes of audio, by which copies are found and nothing is encoded twice. Here no
audio is heard: the hash of the vectors stands in its place, so that utterances with the same
vectors are copies, and one whose vectors have changed is another. Lengths are those that the
source tells, else 0.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.spelling import joined
from gensr.features.hearing.survey import Heard
from gensr.features.store.bounds import check_shard
from gensr.features.store.errors import StoreError
from gensr.features.store.job import Job, open_job
from gensr.features.store.plan import Plan, plan_of
from gensr.features.store.settings import Settings
from gensr.features.store.where import Location, Where, local, locate
from gensr.pipeline.extraction.rows import check_clips, clip_table, failed_table
from gensr.pipeline.importing.arrays import read_arrays
from gensr.pipeline.importing.database import read_database
from gensr.pipeline.importing.given import (
    IMPORTED,
    Given,
    Vectors,
    hash_of,
    matched,
    matched_parts,
)
from gensr.pipeline.importing.header import header_at, header_of
from gensr.pipeline.importing.tables import SUFFIXES, read_features
from gensr.pipeline.importing.told import told_beside, told_by
from gensr.pipeline.progress import Listener, Silent

SHARD_CLIPS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportConfig:
    """How vectors are taken in."""

    corpus: Location | None = None
    """What says of which utterances they are: a corpus's folder, or a table with `file`, `emotion`,
    `speaker`, ..., or an audformat database; None: the rows themselves, the database that a table
    is of, or the manifest that lies among the files."""
    name: str | None = None
    """What made the vectors, by which a store and its runs know them; None: the place's name."""
    columns: tuple[str, ...] = ()
    """Which columns of a table are features, by patterns; none: see tables.py."""
    overwrite: bool = False
    """Replace the store that is there."""
    allow_errors: int = 0
    """Utterances and vectors left out that still count as success."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did."""

    out: Where
    clips: int
    """Rows of the store."""
    layers: int
    """K+1."""
    width: int
    """L."""
    failed: tuple[Problem, ...]
    """Vectors without an utterance, utterances without vectors, and what cannot be used."""
    allowed: int
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no more was left out than allowed."""
        return len(self.failed) <= self.allowed


_DEFAULT = ImportConfig()


def import_features(
    place: Location,
    out: Location,
    config: ImportConfig = _DEFAULT,
    *,
    progress: Listener | None = None,
) -> ImportReport:
    """Make a store of vectors from a folder of `.npy` files, or from a table.

    Args:
        place: the folder, or the `.parquet`, `.csv` or `.tsv` file.
        out: the store, `.zarr`, `.h5` or `.hdf5`; a path or a URL.
        config: the settings.
        progress: told of the stages `read` and `write`, in utterances.

    Raises:
        CorpusError: there is nothing to use, or a table is broken.
        StoreError: `out` is there already, is locked, or cannot be written.
    """
    listener, source = progress or Silent(), local(place)
    given, clips, problems, notes = _given(source, config)
    with open_job(locate(out), overwrite=config.overwrite) as job:
        if job.base is not None:
            raise StoreError(
                f"{job.out} is there already; replace it by --overwrite, or choose another --out "
                "(`gensr store merge` joins two)"
            )
        heard, bad = _heard(given, clips, listener)
        problems = (*problems, *bad)
        if not heard:
            first = problems[0]
            raise CorpusError(
                f"{source}: none of {len(problems)} can be used; the first, {first.path}: "
                f"{first.reason}"
            )
        named = {item.clip.path: name for name, item in heard.items()}
        plan = _plan(job, given, config.name or source.name, tuple(heard.values()), problems)
        writing = job.start(plan)
        listener.stage("write", plan.header.clips)
        paths = plan.columns["path"]
        for shard in writing.pending:
            asked = {row: named[paths[row]] for row in shard.encode}
            vectors = {
                row: _again(given, name, heard[name].audio_sha256) for row, name in asked.items()
            }
            writing.writer.write(shard, vectors)
            listener.advance(shard.stop - shard.start)
        writing.commit()
    return ImportReport(
        out=job.out,
        clips=plan.header.clips,
        layers=len(given.layers),
        width=given.width,
        failed=problems,
        allowed=config.allow_errors,
        notes=notes,
    )


def _given(
    place: Path, config: ImportConfig
) -> tuple[Given, dict[str, Clip], tuple[Problem, ...], tuple[str, ...]]:
    """The vectors, the clip of each name, what is left out, and notes."""
    corpus = local(config.corpus) if config.corpus else None
    header = header_at(corpus) if corpus else header_of(place)
    if place.is_dir():
        if config.columns:
            raise CorpusError(f"{place}: is a folder; --columns is for tables")
        given = _arrays(place)
    elif not place.is_file():
        raise CorpusError(f"{place}: no such folder or table")
    elif place.suffix.lower() in SUFFIXES:
        apart, parts = corpus is not None or header is not None, header is not None
        given = read_features(place, config.columns, labelled=not apart, parts=parts)
    else:
        raise CorpusError(f"{place}: expected a folder of .npy files, or {', '.join(SUFFIXES)}")
    problems, notes = given.problems, given.notes
    if header is not None:
        base = read_database(header)
        of, unmatched = matched_parts(given.names, base.clips, base.asked)
        notes += base.notes
    elif corpus is None and given.clips is not None:
        of, unmatched = matched(given.names, given.clips)
    else:
        clips, more, said = told_by(corpus) if corpus else told_beside(place)
        problems, notes = (*problems, *more), (*notes, *said)
        of, unmatched = matched(given.names, clips)
    known = {problem.path for problem in problems}
    problems += tuple(one for one in unmatched if one.path not in known)
    if header is None and of and not any(clip.emotion for clip in of.values()):
        notes += (f"{corpus or place}: says no emotion of any of them; --label learns another",)
    respelt, spelt = joined(tuple(of.values()))
    return given, dict(zip(of, respelt, strict=True)), problems, (*notes, *spelt)


def _arrays(folder: Path) -> Given:
    """The `.npy` files of a folder; which table of a database holds vectors is not guessed."""
    try:
        return read_arrays(folder)
    except CorpusError as error:
        if header_at(folder) is None:
            raise
        tables = sorted(file.name for file in folder.glob("db.*") if file.suffix in SUFFIXES)
        raise CorpusError(
            f"{folder}: is an audformat database; give the table that holds the vectors, one of "
            f"{', '.join(tables) or 'none'}"
        ) from error


def _heard(
    given: Given, clips: Mapping[str, Clip], listener: Listener
) -> tuple[dict[str, Heard], tuple[Problem, ...]]:
    """Every vector read once: its row, or why there is none."""
    check_clips(tuple(clips.values()), ())
    listener.stage("read", len(clips))
    heard: dict[str, Heard] = {}
    problems: list[Problem] = []
    for name, clip in clips.items():
        listener.advance(1)
        try:
            sha256 = hash_of(given.read(name))
        except ValueError as error:
            problems.append(Problem(path=clip.path, reason=f"its vectors: {error}"))
            continue
        samples = round(given.seconds.get(name, 0.0) * SAMPLE_RATE)
        file = hashlib.sha256(f"{name}\0{sha256}".encode()).hexdigest()
        heard[name] = Heard(clip=clip, samples=samples, audio_sha256=sha256, file_sha256=file)
    return heard, tuple(problems)


def _plan(
    job: Job, given: Given, name: str, heard: tuple[Heard, ...], problems: tuple[Problem, ...]
) -> Plan:
    """Every row decided, as an extraction decides it."""
    layers, width = given.layers, given.width
    shard = min(SHARD_CLIPS, max(1, 2**30 // (4 * len(layers) * width)))
    check_shard(shard, len(layers), width)
    settings = job.agree(
        Settings(
            encoder={
                "family": IMPORTED,
                "name": name,
                "revision": None,
                "weights_sha256": None,
                "dtype": "float32",
                "x1": layers[-1],
                "context": "as whoever made them had it",
                **given.identity,
            },
            layers=layers,
            width=width,
            dtype="float32",
            preprocessing={"audio": "none was heard"},
            shard_clips=shard,
        )
    )
    columns = clip_table(heard, problems, None)
    return plan_of(settings, columns, failed_table(heard, problems, None))


def _again(given: Given, name: str, known: str) -> Vectors:
    """Vectors that were read before.

    Args:
        given: where they are from.
        name: which.
        known: their hash.

    Raises:
        CorpusError: they are no longer there, or others.
    """
    try:
        found = given.read(name)
    except ValueError as error:
        raise CorpusError(f"{name}: was changed while it was read ({error})") from error
    if hash_of(found) != known:
        raise CorpusError(f"{name}: was changed while it was read; import again")
    return found
