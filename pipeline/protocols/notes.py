"""What a reader of a protocol's results should know, one line each, the gravest first."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gensr.pipeline.protocols.protocol import Protocol


def notes_of(protocol: "Protocol") -> tuple[str, ...]:
    """All of them."""
    return (
        *_leaks(protocol),
        *_official_test(protocol),
        *protocol.said,
        *_left_out(protocol),
        *_overlaps(protocol),
        *_split(protocol),
        *of_numbers(protocol),
    )


def of_split(protocol: "Protocol") -> tuple[str, ...]:
    """What it makes of the clips: what is left out, and which official split is not followed."""
    return (*protocol.said, *_left_out(protocol), *_split(protocol))


def of_numbers(protocol: "Protocol") -> tuple[str, ...]:
    """What is wrong with any number of it: intervals that are too narrow, classes never learnt."""
    return (*_clusters(protocol), *_classes(protocol))


def _left_out(protocol: "Protocol") -> Iterator[str]:
    for why, count in sorted(protocol.left_out.items()):
        yield f"{clips(count)} left out: {why}"


def _tested(protocol: "Protocol") -> int:
    return sum(len(fold.test) for fold in protocol.folds)


def _leaks(protocol: "Protocol") -> Iterator[str]:
    tested = _tested(protocol)
    for column, count in protocol.leaks.items():
        share = f"leak: {count} of {tested} tested clips ({100 * count / tested:.1f} %)"
        if column == "audio_sha256":
            yield f"{share} are identical in audio to trained ones"
        else:
            yield f"{share} share their {column} with trained ones, which should be apart"


def _official_test(protocol: "Protocol") -> Iterator[str]:
    if protocol.test_learnt:
        told = ", ".join(f"{name} {count}" for name, count in protocol.test_learnt.items())
        yield (
            f"learns from clips of an official test part ({told}): no number of this protocol may "
            "stand beside numbers on that test"
        )


def _overlaps(protocol: "Protocol") -> Iterator[str]:
    tested = _tested(protocol)
    for column, count in sorted(protocol.overlaps.items()):
        if not count or column in protocol.leaks:
            continue
        if column == "audio_sha256":
            yield f"leak: {clips(count)} tested are identical in audio to trained ones"
        else:
            share = f"{count} of {tested} tested clips"
            yield f"{share} share their {column} with trained ones: not kept apart"


def _split(protocol: "Protocol") -> Iterator[str]:
    unused = protocol.split_unused
    if not unused:
        return
    parts = [part for part in ("train", "dev", "test") if unused.get(part)]
    parts += sorted(set(unused) - {*parts, ""})
    said = ", ".join(f"{part} {unused[part]}" for part in parts)
    if unused.get(""):
        said += f", none {unused['']}"
    if _tested(protocol):
        end = f"which {protocol.name} does not follow: --protocol official does"
    else:
        end = "and this model learns from every part of it"
    yield f"the clips name an official split ({said}), {end}"


def _clusters(protocol: "Protocol") -> Iterator[str]:
    if not _tested(protocol):
        return
    as_if = "intervals are over clips as if they were independent, so they are too narrow"
    if protocol.cluster == "clip":
        yield f"not every clip names its speaker: {as_if}"
    elif protocol.cluster not in ("speaker", "dialogue"):
        rows = [row for fold in protocol.folds for row in fold.test]
        if len({protocol.clusters[row] for row in rows}) == len(rows):
            yield f"every tested clip has a {protocol.cluster} of its own: {as_if}"


def _classes(protocol: "Protocol") -> Iterator[str]:
    for fold in protocol.folds:
        unseen = np.setdiff1d(protocol.labels[fold.test], protocol.labels[fold.learn])
        if len(unseen):
            names = ", ".join(protocol.classes[i] for i in unseen)
            yield f"fold {fold.name} tests classes it never trained on: {names}"
    counts = np.bincount(protocol.labels, minlength=len(protocol.classes))
    few = [name for name, n in zip(protocol.classes, counts, strict=True) if n < 3]
    if few:
        which = ", ".join(few[:5]) + (", ..." if len(few) > 5 else "")
        yield f"{len(few)} of {len(protocol.classes)} classes have under 3 clips: {which}"


def clips(count: int) -> str:
    """A number of clips.

    >>> clips(1), clips(2)
    ('1 clip', '2 clips')
    """
    return f"{count} clip{'s' if count != 1 else ''}"
