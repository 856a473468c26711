"""Clips that are there more than once: equal sample for sample, or near-identical to the ear.

Repetitions are grouped. A near-identical clip on the other side of a split is a leak like an
identical one.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gensr.features.hearing.fingerprint import Fingerprint
from gensr.pipeline.lint.findings import FATAL, LEAK, NOTE, WARNING, Finding, named, share
from gensr.pipeline.lint.near import Near, near
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.protocols.splits import Table

LISTEN = (
    "copies in another encoding, at another level or cut shorter are not looked for in vectors: "
    "gensr lint CORPUS, or --audio CORPUS, listens for them"
)


def repeated(table: Table) -> Iterator[Finding]:
    """Groups of clips whose audio is equal sample for sample."""
    groups: dict[str, list[str]] = {}
    for path, digest in zip(table["path"], table["audio_sha256"], strict=True):
        if digest:
            groups.setdefault(digest, []).append(str(path))
    same = [sorted(paths) for paths in groups.values() if len(paths) > 1]
    if not same:
        return
    clips = sum(map(len, same))
    told = named([" = ".join(paths) for paths in sorted(same)])
    yield Finding(
        kind="repeated",
        weight=NOTE,
        line=f"{share(clips, len(table['path']))} have the audio of another, in {len(same)} "
        f"group{'s' * (len(same) != 1)}: {told}",
        clips=tuple(path for paths in sorted(same) for path in paths),
        count=clips,
        of=len(table["path"]),
    )


def alike(
    prints: Sequence[Fingerprint], table: Table, protocol: Protocol | None, *, allowed: bool
) -> Iterator[Finding]:
    """Near-identical clips that are not identical, and those of them on both sides of a fold.

    Args:
        prints: of each clip of the table.
        table: the clips.
        protocol: on that table, if there is one.
        allowed: whether leaks are warnings.
    """
    audio, paths = table["audio_sha256"], table["path"]
    pairs = [pair for pair in near(prints) if audio[pair.a] != audio[pair.b]]
    if not pairs:
        return
    clips = sorted({number for pair in pairs for number in (pair.a, pair.b)})
    told = named([f"{paths[pair.a]} ~ {paths[pair.b]}" for pair in pairs])
    yield Finding(
        kind="near-identical",
        weight=WARNING,
        line=f"{share(len(clips), len(prints))} are near-identical to another (encoded again, "
        f"louder, or cut): {told}",
        clips=tuple(str(paths[number]) for number in clips),
        count=len(clips),
        of=len(prints),
    )
    if protocol is not None:
        yield from _across(pairs, protocol, allowed)


def _across(pairs: Sequence[Near], protocol: Protocol, allowed: bool) -> Iterator[Finding]:
    place = {row: number for number, row in enumerate(protocol.store_rows.tolist())}
    both = [(place[p.a], place[p.b]) for p in pairs if p.a in place and p.b in place]
    found = set()
    for fold in protocol.folds:
        learnt, tested = np.zeros((2, len(protocol.paths)), bool)
        learnt[fold.learn], tested[fold.test] = True, True
        for a, b in both:
            found |= {(fold.name, x) for x, y in ((a, b), (b, a)) if tested[x] and learnt[y]}
    if found:
        tested_clips = sum(len(fold.test) for fold in protocol.folds)
        names = sorted({protocol.paths[number] for _, number in found})
        yield Finding(
            kind=LEAK,
            weight=WARNING if allowed else FATAL,
            line=f"leak: {len(found)} of {tested_clips} tested clips "
            f"({100 * len(found) / tested_clips:.1f} %) are near-identical in audio to trained "
            f"ones: {named(names)}; keep one copy of each recording",
            clips=tuple(names),
            count=len(found),
            of=tested_clips,
        )
