"""IEMOCAP's settings by name: 4, 5 or 6 classes, all or improvised, by session or speaker.

    iemocap-4-session               4 classes, five folds of a session, everything
    iemocap-4-improvised-speaker    4 classes, ten folds of a speaker, improvised dialogues alone

Numbers under "IEMOCAP" differ by ten points and more with the setting, so it is part of the name.
4: anger, happiness, neutral, sadness, excitement counted as happiness (5531 clips in all). 5: those
and frustration. 6: those and excitement as a class of its own. A turn on which the annotators did
not agree has no label.

By session neither a speaker nor a dialogue is on both sides. By speaker the partner of the one who
is tested is learnt from, in the same dialogues. In scripted dialogues every session speaks the same
text, so the text may give the label away; the improvised settings leave them out.
"""

import re

import numpy as np

from gensr.features.corpora.labels import canonical
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import joined, merged
from gensr.pipeline.protocols.people import leave_one_speaker_out
from gensr.pipeline.protocols.splits import Splits, Table, held
from gensr.pipeline.protocols.splitter import Family, Prepared, Splitter, Values, only

FOUR = ("anger", "happiness", "neutral", "sadness")
CLASSES = {4: FOUR, 5: (*FOUR, "frustration"), 6: (*FOUR, "frustration", "excitement")}
_WORDS = {
    "exc": "excitement",
    "excited": "excitement",
    "fru": "frustration",
    "frustrated": "frustration",
}
_DIALOGUE = re.compile(r"Ses0(?P<session>[1-5])[FM]_(?P<act>impro|script)\w*")


def _read(table: Table) -> tuple[Values, Values]:
    """Session and act (`impro` or `script`) of every clip, from its dialogue."""
    matches = [_DIALOGUE.fullmatch(name) for name in table["dialogue"].tolist()]
    if None in matches:
        odd = table["dialogue"].tolist()[matches.index(None)]
        raise ProtocolError(
            "IEMOCAP's settings need a dialogue such as Ses01F_impro01 of every clip; "
            f"there is {odd!r}; keep the corpus's own names, or give the column dialogue"
        )
    return (
        np.array([match["session"] for match in matches if match]),
        np.array([match["act"] for match in matches if match]),
    )


def _by_session(table: Table, seed: int) -> Splits:
    session, _ = _read(table)
    return [held(f"session {one}", session == one) for one in sorted(set(session.tolist()))]


def _word(label: str) -> str:
    return canonical(label) or _WORDS.get(label.casefold(), label)


def _setting(count: int, *, improvised: bool, by: str) -> Splitter:
    def prepare(table: Table, column: str, values: Values) -> Prepared:
        if column != "emotion":
            raise ProtocolError(
                "IEMOCAP's settings name their own classes; drop --labels canonical"
            )
        left: dict[str, int] = {}
        if improvised:
            _, act = _read(table)
            gone = (act == "script") & (values != "")
            left = {"scripted": int(gone.sum())} if gone.any() else {}
            values = np.where(gone, "", values)
        into = {label: _word(label) for label in set(values.tolist())}
        if count < 6:
            into = {
                label: "happiness" if word == "excitement" else word for label, word in into.items()
            }
        values, others = merged(
            values, into, CLASSES[count], f"labelled {{}}, none of the {count} classes"
        )
        return values, joined(left, others)

    def said(table: Table, folds: Splits) -> list[str]:
        _, act = _read(table)
        words = np.array([_word(label) for label in table["emotion"].tolist()])
        excited = int((words == "excitement").sum())
        notes = [f"excitement counts as happiness: {excited} clips"] if count < 6 else []
        if scripted := int((act == "script").sum()):
            notes.append(
                f"{scripted} clips are of scripted dialogues, whose text is on both sides and may "
                f"give the label away; iemocap-{count}-improvised-{by} leaves them out"
            )
        return notes

    session = by == "session"
    return Splitter(
        corpora=("iemocap",),
        split=_by_session if session else leave_one_speaker_out,
        groups=("speaker", "dialogue") if session else ("speaker",),
        dev=("speaker",),
        cluster="speaker",
        label="emotion",
        words="native",
        prepare=prepare,
        said=said,
    )


def families() -> dict[str, Family]:
    """Every setting by its name."""
    return {
        f"iemocap-{count}-{'improvised-' if improvised else ''}{by}": only(
            _setting(count, improvised=improvised, by=by)
        )
        for count in CLASSES
        for improvised in (False, True)
        for by in ("session", "speaker")
    }
