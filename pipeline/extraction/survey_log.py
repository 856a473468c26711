"""What was heard of every file, kept while a corpus is surveyed, so that it is heard once.

    {"preprocessing": {...}, "decoders": {...}}
    ["<hash of the file>", 16000, "<hash of the samples>", "", false]
    ["<hash of the file>#t=1.5,4", 40000, "<hash of the part's samples>", "", false]
    ...

The first line says what the verdicts hold for: how files become samples, and the versions of the
libraries that do it. Where either is another now, the log is begun anew: samples, and so their
hashes, may be others in the last bits. Versions stay out of the store, whose vectors are those
of the samples, whoever decoded them.

A survey of a large corpus takes hours; killed, it goes on where it was. Of two lines about the
same clip the later one holds: a file may have been tried again. How lines are kept is the store's
affair (side_log.py there): they lie in the work folder of the store in the making, and go with it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any

from gensr.features.audio.segments import key_of
from gensr.features.hearing.verdict import Verdict, decoder_versions
from gensr.features.store import side_log
from gensr.features.store.files import store_errors
from gensr.features.store.job import Job
from gensr.features.store.where import Where

Keep = Callable[[str, Verdict], None]
"""Called with the key of a clip (`segments.key_of`) and what was heard."""

NAME = "survey"
"""Of the log, among those that a store in the making has beside it."""
_ROW = [str, int, str, str, bool]
"""Types of a line's parts: the key of the clip, and the fields of a verdict."""


class SurveyLog:
    """A log to be added to, from one thread; one that holds for something else is replaced.

    Args:
        path: the log, which may not be there.
        preprocessing: how files become samples; verdicts hold for that alone.
    """

    def __init__(self, path: Where, preprocessing: Mapping[str, Any]) -> None:
        self._lines = side_log.begin(path, _head(preprocessing), _is_row)

    def add(self, key: str, verdict: Verdict) -> None:
        """Add one verdict; it outlives this process."""
        self._lines.add([key, *astuple(verdict)])

    def close(self) -> None:
        """Wait until all is where it lasts."""
        self._lines.close()


def read(path: Where, preprocessing: Mapping[str, Any]) -> dict[str, Verdict]:
    """Return the verdicts by the hash of the file's bytes, and the part of it that was heard.

    None where there is no log, or one of another preprocessing or of other decoders.
    """
    lines = side_log.read(path, _head(preprocessing), _is_row)
    return {key: Verdict(*told) for key, *told in lines}


def known(job: Job, preprocessing: Mapping[str, Any]) -> dict[str, Verdict]:
    """Return what is known of clips by their key: from an interrupted run, from the store.

    What may have failed for lack of time or memory is left out, so that it is tried again,
    unless a plan is to be resumed that counts on it. `--overwrite` tries all that failed.
    """
    found = read(job.side_log(NAME), preprocessing)
    if job.overwrite:
        found = {key: verdict for key, verdict in found.items() if not verdict.reason}
    elif not job.interrupted:
        found = {key: verdict for key, verdict in found.items() if not verdict.passing}
    if job.base is not None:
        names = ("file_sha256", "path", "samples", "audio_sha256")
        columns = (job.base.table[name].tolist() for name in names)
        for file_sha, path, samples, audio_sha in zip(*columns, strict=True):
            found[key_of(file_sha, path)] = Verdict(samples=samples, audio_sha256=audio_sha)
    return found


@contextmanager
def keeping(
    job: Job, preprocessing: Mapping[str, Any], before: Mapping[str, Verdict]
) -> Iterator[Keep]:
    """Keep a survey as it goes, for the case that this run is interrupted.

    Args:
        job: the store that it is for.
        preprocessing: how files become samples.
        before: what is known already.

    Yields:
        A function that takes the key of a clip and the verdict on it; called from one thread.
        What it was told lasts until a plan holds it, unless the survey was heard to the end and
        no file can be used: then there is nothing to go on from.
    """
    usable = any(not verdict.reason for verdict in before.values())
    with store_errors(job.out):
        log = SurveyLog(job.side_log(NAME), preprocessing)

    def keep(key: str, verdict: Verdict) -> None:
        nonlocal usable
        usable = usable or not verdict.reason
        with store_errors(job.out):
            log.add(key, verdict)

    try:
        yield keep
    finally:
        with store_errors(job.out):
            log.close()
    if not usable:
        job.forget_side_logs()


def _head(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    return {"preprocessing": dict(preprocessing), "decoders": decoder_versions()}


def _is_row(line: object) -> bool:
    return isinstance(line, list) and [type(part) for part in line] == _ROW
