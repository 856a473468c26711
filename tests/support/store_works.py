"""Pieces of work on stores that may be ended anywhere, for the calls of `forking`."""

from pathlib import Path
from typing import Any

from gensr.features.store.convert import convert
from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.features.store.job import open_job
from gensr.features.store.merge import merge
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support import stub
from support import synthetic as made
from support.forking import wait, waiting


def make(out: str, names: str) -> None:
    """Write a store of these clips, or add them to the one that is there."""
    made.make(Path(out), made.clips(names))


def again(corpus: str, out: str) -> None:
    """The call that the stores of 0.1.0 were made by."""
    settings = ExtractConfig(encoder="stub", shard_clips=5, batch_seconds=0.2, allow_errors=1)
    extract(Path(corpus), Path(out), settings, encoder=stub.StubEncoder())


def finish(out: str, count: int) -> None:
    """Commit a store whose every shard is marked, step by step; nothing is encoded."""
    rows = made.clips(f"{number:03}" for number in range(count))
    with open_job(Path(out), overwrite=False) as job:
        if job.base is not None:  # it took its place before the kill
            job.drop()
            return
        writing = job.start(made.plan(rows))
        assert writing.pending == ()
        with waiting():
            writing.commit(_advance)


def convert_stepwise(source: str, target: str) -> None:
    with waiting():
        convert(Path(source), Path(target), overwrite=True, advance=_advance)


def _advance(clips: int) -> None:
    wait("advance")


WORKS: dict[str, Any] = {
    "make": make,
    "convert": lambda source, target: convert(source, target, overwrite=True),
    "merge": lambda sources, target: merge(sources, target, overwrite=True),
    "extract": lambda corpus, out, *more: stub.extract(Path(corpus), Path(out), *more),
    "again": again,
    "finish": finish,
    "convert stepwise": convert_stepwise,
}
