"""Near-identical audio: the same recording in another encoding, at another level, cut shorter.

Copies like these carry a speaker, a sentence and a label to the other side of a split, and no
hash of their samples tells. Their fingerprints (`features/hearing/fingerprint.py`) do: two clips
are near-identical where, at one lag, at most `MOST_ERRORS` of the bits differ over frames that are
loud in both, and these are most of the shorter clip's. Two takes of one sentence by one speaker
share neither, bit by bit.

Candidates are those pairs that have at least `VOTES` words in common at one lag (give or take a
frame), by sorting all words of all clips once: memory is a few bytes a frame of 10 ms, and time
that of a sort. What the thresholds find and miss is measured by `benchmarks/near.py` and told in
docs/leaks.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensr.features.hearing.fingerprint import Fingerprint

MOST_ERRORS = 0.25
"""Share of bits that may differ; half of them do where two clips have nothing in common."""
COVERED = 0.6
"""Share of the shorter clip's loud frames that must be loud in the other at that lag."""
VOTES = 1
"""Words that a pair must have in common at one lag to be looked at."""
COMMON = 32
"""Of clips that share a word, so many neighbours in the sorted list are paired: a word that
hundreds of clips have says little."""
LEAST = 25
"""Frames that must be compared: fewer agree by chance."""
_BITS = 32
_LEADING = 4
"""Leading bits that words have in common which are sorted together: a sixteenth at a time."""
_NO_WORDS = np.zeros((4, 0), np.uint32)
_KEYS = 1 << 22
"""Shared words that are held at once, before they are counted."""


@dataclass(frozen=True, slots=True)
class Near:
    """Two clips, by number, that are near-identical."""

    a: int
    b: int
    lag: int
    """Frame of `a` where `b` begins, in hops."""
    errors: float
    """Share of bits that differ."""


def near(
    prints: Sequence[Fingerprint], *, most_errors: float = MOST_ERRORS, covered: float = COVERED
) -> tuple[Near, ...]:
    """All near-identical pairs, each once, `a < b`, in order.

    Args:
        prints: fingerprint of each clip.
        most_errors: see `MOST_ERRORS`.
        covered: see `COVERED`.
    """
    best: dict[tuple[int, int], Near] = {}
    for a, b, lag in candidates(prints):
        for one in range(lag - 1, lag + 2):
            found = compared(prints[a], prints[b], one, covered)
            known = best.get((a, b))
            if found <= most_errors and (known is None or found < known.errors):
                best[a, b] = Near(a, b, one, found)
    return tuple(best[pair] for pair in sorted(best))


def compared(one: Fingerprint, other: Fingerprint, lag: int, covered: float = COVERED) -> float:
    """Share of bits that differ at a lag, over frames that are loud in both; 1: too few are."""
    start, end = max(0, lag), min(len(one.words), len(other.words) + lag)
    if end - start < LEAST:
        return 1.0
    both = one.loud[start:end] & other.loud[start - lag : end - lag]
    count = int(both.sum())
    if count < LEAST or count < covered * min(int(one.loud.sum()), int(other.loud.sum())):
        return 1.0
    apart = one.words[start:end][both] ^ other.words[start - lag : end - lag][both]
    return float(np.bitwise_count(apart).sum()) / (count * _BITS)


def candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """Pairs of clips and a lag at which they share words, the most shared lag of each pair."""
    loud = [int(one.loud.sum()) for one in prints]
    variants = np.concatenate([one.variants() for one in prints] or [_NO_WORDS], axis=1)  # (4, F)
    frames = np.concatenate([np.flatnonzero(one.loud) for one in prints] or [_NO_WORDS[0]])
    frames = frames.astype(np.int32)
    clips = np.repeat(np.arange(len(prints), dtype=np.int32), loud)
    span = 2 * (int(frames.max(initial=0)) + 2)  # lags of either sign, and a frame more
    counted: dict[str, NDArray[np.int64]] = {
        "keys": np.zeros(0, np.int64),
        "votes": np.zeros(0, np.int64),
    }
    waiting: list[NDArray[np.int64]] = []
    for a, b in _sharing(variants, clips):
        lag = frames[a].astype(np.int64) - frames[b]
        keys = (clips[a].astype(np.int64) * len(prints) + clips[b]) * span + lag + span // 2
        waiting.append(keys)
        if sum(map(len, waiting)) >= _KEYS:
            counted, waiting = _count(counted, waiting), []
    counted = _count(counted, waiting)
    keys, votes = counted["keys"], counted["votes"]
    if not len(keys):
        return
    # A cut falls between two hops: votes of a lag and the next are one.
    follows = np.append(np.diff(keys) == 1, False)
    votes = votes + np.where(follows, np.append(votes[1:], 0), 0)
    pairs = keys // span
    order = np.lexsort((votes, pairs))
    last = np.append(np.diff(pairs[order]) != 0, True)
    for at in order[last][votes[order[last]] >= VOTES].tolist():
        pair, lag = divmod(int(keys[at]), span)
        yield pair // len(prints), pair % len(prints), lag - span // 2


def _sharing(
    variants: NDArray[np.uint32], clips: NDArray[np.int32]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of frames, by number, that share a word and are of two clips, the lower clip first.

    Words are sorted by portions of equal leading bits, so that few are held sorted at once.

    Args:
        variants: (4, F) the words of every loud frame.
        clips: (F,) whose frame it is, rising.
    """
    for portion in range(1 << _LEADING):
        mine = [np.flatnonzero(row >> (_BITS - _LEADING) == portion) for row in variants]
        words = np.concatenate([row[own] for row, own in zip(variants, mine, strict=True)])
        rows = np.concatenate(mine)
        order = np.lexsort((rows, words))
        words, rows = words[order], rows[order]
        owner = clips[rows]
        for apart in range(1, COMMON + 1):
            same = (words[apart:] == words[:-apart]) & (owner[apart:] != owner[:-apart])
            at = np.flatnonzero(same)
            if len(at):
                yield rows[at], rows[at + apart]


def _count(
    before: dict[str, NDArray[np.int64]], waiting: Sequence[NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Votes by key, those of before added."""
    keys, votes = np.unique(np.concatenate([*waiting, before["keys"][:0]]), return_counts=True)
    both = np.concatenate([before["keys"], keys])
    unique, place = np.unique(both, return_inverse=True)
    total = np.zeros(len(unique), np.int64)
    np.add.at(total, place, np.concatenate([before["votes"], votes]))
    return {"keys": unique, "votes": total}
