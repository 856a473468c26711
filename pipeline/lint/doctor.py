"""What is wrong with the files of a corpus: missing, corrupt, silent, clipped, of absurd length.

Counts, checksums and known bad files are held against what is published
(`features/corpora/published.py`). Where a part of an official test is not there, that is said
first, with the number: a test set is never smaller in silence.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from gensr.features.corpora.clip import Problem
from gensr.features.corpora.paths import stem_of, suffix_of
from gensr.features.corpora.published import PUBLISHED, WHOLE, Published
from gensr.pipeline.lint.findings import NOTE, TEST_SET, WARNING, Finding, named, share
from gensr.pipeline.protocols.splits import Table

QUIET_DB = -60.0
"""A clip whose root mean square is below is as good as silent; dB below full scale."""
CLIPPED = 0.001
"""Share of samples at the ceiling that is too much."""
ABSURD = 10.0
"""A clip that is so many times longer, or shorter, than its corpus's median."""


def of_table(table: Table) -> Iterator[Finding]:
    """What the clip table tells, of every corpus that is published.

    Args:
        table: columns of text of the clips that can be used.
    """
    for corpus, published in PUBLISHED.items():
        rows = np.flatnonzero(np.asarray(table["corpus"]) == corpus)
        if len(rows):
            yield from _test_set(corpus, published, table, rows)
            yield from _counts(corpus, published, table, rows)
            yield from _checksums(corpus, published, table, rows)
            yield from _known(corpus, published, table, rows)
    yield from _lengths(table)


def of_problems(problems: Sequence[Problem]) -> Iterator[Finding]:
    """Files that cannot be used, one line a reason."""
    reasons: dict[str, list[str]] = {}
    for problem in problems:
        reasons.setdefault(problem.reason, []).append(problem.path)
    for reason, paths in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        files = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        yield Finding(
            kind="file",
            weight=WARNING,
            line=f"{files} cannot be used, {reason}: {named(paths)}",
            clips=tuple(paths),
            count=len(paths),
        )


def of_audio(
    paths: Sequence[str], level_db: Sequence[float], clipped: Sequence[float]
) -> Iterator[Finding]:
    """What listening tells.

    Args:
        paths: of the clips.
        level_db: root mean square of each, dB below full scale.
        clipped: share of each one's samples at the ceiling.
    """
    quiet = [path for path, level in zip(paths, level_db, strict=True) if level < QUIET_DB]
    loud = [path for path, part in zip(paths, clipped, strict=True) if part > CLIPPED]
    for found, told in (
        (quiet, f"all but silent (below {QUIET_DB:g} dB)"),
        (loud, f"clipped (over {100 * CLIPPED:g} % of their samples at the ceiling)"),
    ):
        if found:
            yield _about("audio", found, len(paths), told)


def _test_set(
    corpus: str, published: Published, table: Table, rows: np.ndarray
) -> Iterator[Finding]:
    if not published.test:
        return
    here = int((np.asarray(table["split"])[rows] == "test").sum())
    if here and here != published.test:
        yield Finding(
            kind=TEST_SET,
            weight=WARNING,
            line=f"{corpus}'s official test has {published.test} clips, here are {here}: no number "
            "on them is one on that test",
            count=here,
            of=published.test,
        )


def _counts(corpus: str, published: Published, table: Table, rows: np.ndarray) -> Iterator[Finding]:
    emotion, split = (np.asarray(table[name])[rows] for name in ("emotion", "split"))
    for part, labels in published.labels.items():
        mine = emotion if part == WHOLE else emotion[split == part]
        where = f"{corpus}'s {part}" if part else corpus
        found = Counter(mine.tolist())
        every = published.clips(part)
        if found == Counter(labels):
            continue
        differ = [
            f"{label or 'no label'} {found.get(label, 0)} of {labels.get(label, 0)}"
            for label in sorted({*found, *labels})
            if found.get(label, 0) != labels.get(label, 0)
        ]
        yield Finding(
            kind="count",
            weight=NOTE,
            line=f"{where}: {share(len(mine), every)} published are here; {', '.join(differ)} "
            f"({published.source})",
            count=len(mine),
            of=every,
        )


def _checksums(
    corpus: str, published: Published, table: Table, rows: np.ndarray
) -> Iterator[Finding]:
    """Only WAV files are compared: another encoding has other bytes, and is no fault."""
    other, compared = [], 0
    for row in rows.tolist() if published.checksums and "file_sha256" in table else ():
        path, digest = str(table["path"][row]), str(table["file_sha256"][row])
        expected = published.checksums.get(stem_of(path))
        if expected is None or suffix_of(path).lower() != ".wav" or "#" in path or not digest:
            continue
        compared += 1
        if not digest.startswith(expected):
            other.append(path)
    if other:
        told = f"are not the published files of {corpus}, by their SHA-256"
        yield _about("checksum", other, compared, told, verb="")


def _known(corpus: str, published: Published, table: Table, rows: np.ndarray) -> Iterator[Finding]:
    """Known bad files that are among the clips."""
    for row in rows.tolist():
        path, split = str(table["path"][row]), str(table["split"][row])
        name = stem_of(path)
        if told := published.bad.get(f"{split}/{name}" if split else name):
            yield Finding(kind="known", weight=NOTE, line=f"{corpus}: {path} {told}", clips=(path,))


def _lengths(table: Table) -> Iterator[Finding]:
    if "seconds" not in table:
        return
    corpora = np.asarray(table["corpus"])
    for corpus in sorted(set(corpora.tolist())):
        rows = np.flatnonzero(corpora == corpus)
        seconds = np.array([float(text or "nan") for text in np.asarray(table["seconds"])[rows]])
        middle = float(np.nanmedian(seconds)) if not np.isnan(seconds).all() else 0.0
        for what, found in (
            ("longer", seconds > ABSURD * middle),
            ("shorter", seconds * ABSURD < middle),
        ):
            paths = [str(table["path"][row]) for row in rows[found].tolist()]
            if paths:
                told = f"over {ABSURD:g} times {what} than {corpus}'s median of {middle:.2f} s"
                yield _about("length", paths, len(rows), told)


def _about(kind: str, paths: Sequence[str], of: int, told: str, verb: str = "are ") -> Finding:
    return Finding(
        kind=kind,
        weight=WARNING,
        line=f"{share(len(paths), of)} {verb}{told}: {named(paths)}",
        clips=tuple(paths),
        count=len(paths),
        of=of,
    )
