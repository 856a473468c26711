"""Everything that is wrong with clips and with how they are split, from one call.

A corpus is heard, a store is read; what their table tells is found by `checks.py`, what only
files tell by `doctor.py`, copies by `near.py`.
"""

from collections.abc import Iterable, Iterator

from gensr.features.store.where import Location, each
from gensr.pipeline.lint.checks import checks
from gensr.pipeline.lint.clips import Clips, clips_of_all
from gensr.pipeline.lint.copies import LISTEN, alike
from gensr.pipeline.lint.doctor import of_audio, of_problems
from gensr.pipeline.lint.findings import NOTE, WARNING, Finding, Findings
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.protocols.splitters import make_protocol


def lint(
    places: Location | Iterable[Location],
    *,
    protocol: str | None = None,
    label: str = "emotion",
    labels: str | None = None,
    split_seed: int = 0,
    audio: Location | Iterable[Location] | None = None,
    allow_leaks: bool = False,
    allow_outside: bool = False,
    progress: Listener | None = None,
) -> Findings:
    """Check corpora, manifests or stores, and a protocol on them.

    Args:
        places: what is checked, one or several; a corpus is heard, and no encoder loaded.
        protocol: as `--protocol` of `gensr train` takes it; None: the corpus's own, or none
            where they have none.
        label: what is to be predicted.
        labels: for emotion, `native` or `canonical`.
        split_seed: of the draws of hold-outs.
        audio: where the files of a store are, to be listened to; of several, one for each.
        allow_leaks: leaks are warnings, not fatal.
        allow_outside: whether a manifest may name files outside its folder.
        progress: told how far it is.

    Raises:
        GensrError: there is nothing to check, or no such protocol on it.
    """
    listener = progress or Silent()
    clips = clips_of_all(
        each(places),
        audio=() if audio is None else each(audio),
        allow_outside=allow_outside,
        listener=listener,
    )
    made, refused = _protocol(clips, protocol, label, labels, split_seed)
    more = (
        *refused,
        *of_problems(clips.problems),
        *_heard(clips, made, allow_leaks),
        *_notes(clips),
    )
    return checks(clips.table, made, allow_leaks=allow_leaks, more=more)


def _protocol(
    clips: Clips, name: str | None, label: str, labels: str | None, seed: int
) -> tuple[Protocol | None, tuple[Finding, ...]]:
    """The protocol, whose leaks are found here; what nobody asked for may be impossible."""
    try:
        made = make_protocol(
            clips.table, name=name, label=label, labels=labels, seed=seed, allow_leaks=True
        )
    except ProtocolError as error:
        if name is not None or label != "emotion" or labels is not None:
            raise
        return None, (Finding(kind="protocol", weight=WARNING, line=f"no protocol: {error}"),)
    return made, ()


def _heard(clips: Clips, protocol: Protocol | None, allow_leaks: bool) -> Iterator[Finding]:
    """What only listening tells."""
    heard = clips.measured
    if not heard:
        yield Finding(kind="near-identical", weight=NOTE, line=LISTEN)
        return
    paths = [str(path) for path in clips.table["path"]]
    yield from of_audio(paths, [one.level_db for one in heard], [one.clipped for one in heard])
    prints = [one.fingerprint for one in heard]
    yield from alike(prints, clips.table, protocol, allowed=allow_leaks)


def _notes(clips: Clips) -> Iterator[Finding]:
    for note in clips.notes:
        yield Finding(kind="corpus", weight=NOTE, line=note)
