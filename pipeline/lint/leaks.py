"""What is on both sides of a protocol's folds, each with its share.

A leak is an overlap in a column that the protocol declares apart, or audio that is equal sample
for sample. Any other overlap may be meant (EmoDB's ten sentences are spoken by all), so it is told
and no more.
"""

from collections.abc import Iterator

from gensr.pipeline.lint.findings import FATAL, LEAK, NOTE, WARNING, Finding
from gensr.pipeline.protocols import notes
from gensr.pipeline.protocols.leaks import AUDIO
from gensr.pipeline.protocols.protocol import Protocol

_WAYS_OUT = {
    "speaker": "--protocol loso or speaker-kfold keeps speakers apart",
    "sentence": "--protocol sentence-holdout keeps sentences apart",
    AUDIO: "keep one copy of each recording, or pass --protocol kfold, which keeps copies together",
}


def leaks(protocol: Protocol, *, allowed: bool = False) -> Iterator[Finding]:
    """What is on both sides.

    Args:
        protocol: made with `allow_leaks`, so that it tells of its own.
        allowed: whether a person goes on in spite of leaks: then they are warnings.
    """
    tested = sum(len(fold.test) for fold in protocol.folds)
    for column, count in protocol.leaks.items():
        way = _WAYS_OUT.get(column, "mend the corpus's labels or splits")
        yield Finding(
            kind=LEAK,
            weight=WARNING if allowed else FATAL,
            line=f"leak: {_told(column, count, tested)}, which {_promise(protocol, column)}; {way}",
            count=count,
            of=tested,
        )
    for column, count in sorted(protocol.overlaps.items()):
        if count and column not in protocol.leaks:
            yield Finding(
                kind="overlap",
                weight=NOTE,
                line=f"{_told(column, count, tested)}: not kept apart by {protocol.name}",
                count=count,
                of=tested,
            )
    yield from _said(protocol)
    for corpus, count in sorted(protocol.test_learnt.items()):
        yield Finding(
            kind="overlap",
            weight=WARNING,
            line=f"{count} clips of {corpus}'s official test part are learnt from: no number of "
            f"{protocol.name} may stand beside numbers on that test",
            count=count,
        )


def _said(protocol: Protocol) -> Iterator[Finding]:
    """What the protocol itself has to say of these clips."""
    for line in notes.of_split(protocol):
        yield Finding(kind="protocol", weight=NOTE, line=f"{protocol.name}: {line}")
    for line in notes.of_numbers(protocol):
        yield Finding(kind="protocol", weight=WARNING, line=f"{protocol.name}: {line}")


def _told(column: str, count: int, tested: int) -> str:
    share = f"{count} of {tested} tested clips ({100 * count / max(1, tested):.1f} %)"
    if column == AUDIO:
        return f"{share} are identical in audio to trained ones"
    return f"{share} share their {column} with trained ones"


def _promise(protocol: Protocol, column: str) -> str:
    return "no protocol survives" if column == AUDIO else f"{protocol.name} promises to keep apart"
