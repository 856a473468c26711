"""The protocols of the acted corpora: each follows from the corpus's own names, not from a draw.

SAVEE has two. Of each emotion's 15 sentences 12 are that emotion's alone, so where a sentence is
on both sides the text gives the label away; `savee-strict` keeps both speakers and sentences
apart, at the price of clips that a fold can use on neither side.
"""

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.people import leave_one_speaker_out
from gensr.pipeline.protocols.splits import (
    Division,
    Splits,
    Table,
    draw,
    held,
    ranked,
    rows,
    several,
)
from gensr.pipeline.protocols.splitter import Splitter, only

PARTS_OF_SENTENCES = 5
"""Into which SAVEE's sentences are dealt: a fold learns from four of them, of three speakers."""


def tess(table: Table, seed: int) -> Splits:
    """Both speakers say the same 200 words, so the words are kept apart too."""
    speaker, word = table["speaker"], table["sentence"]
    half = np.isin(word, draw(set(word.tolist()), 0.5, f"words/{seed}"))
    return [
        Division(
            held_out=f"speaker {name}, {'first' if words else 'second'} half of the words",
            learn=rows((speaker != name) & (half != words)),
            test=rows((speaker == name) & (half == words)),
        )
        for name in several(table, "speaker")
        for words in (True, False)
    ]


def ravdess(table: Table, seed: int) -> Splits:
    """Actors 1 to 4, 5 to 8, ...: odd numbers are men, even ones women."""
    actors = _numbered(table, "ravdess-6fold", 1, 24)
    several(table, "speaker")
    fold = (actors - 1) // 4
    return [
        held(f"actors {4 * k + 1} to {4 * k + 4}", fold == k) for k in sorted(set(fold.tolist()))
    ]


def cremad(table: Table, seed: int) -> Splits:
    """Every fifth actor: 1001, 1006, ...; 7 to 11 women and 7 to 12 men in each fold."""
    actors = _numbered(table, "cremad-5fold", 1001, 1091)
    several(table, "speaker")
    fold = (actors - 1001) % 5
    return [
        held(f"actors {1001 + k}, {1006 + k}, ...", fold == k) for k in sorted(set(fold.tolist()))
    ]


def _numbered(table: Table, name: str, first: int, last: int) -> NDArray[np.int64]:
    """The actors' numbers; an error where a speaker is none of the corpus's."""
    numbers = []
    for actor in table["speaker"].tolist():
        if not (actor.isascii() and actor.isdigit() and first <= int(actor) <= last):
            raise ProtocolError(
                f"{name} splits actors {first:02} to {last}; there is a speaker {actor!r}; "
                "pass --protocol speaker-holdout"
            )
        numbers.append(int(actor))
    return np.array(numbers, np.int64)


def savee_strict(table: Table, seed: int) -> Splits:
    """A speaker and a fifth of the sentences; learnt from the others' other four fifths.

    Sentences are dealt out emotion by emotion, so that every fold learns every emotion.
    """
    speaker, sentence = table["speaker"], table["sentence"]
    names = sorted(set(sentence.tolist()))
    if len(names) < 2:
        raise ProtocolError(
            f"only one sentence ({names[0]}): savee-strict has none to keep apart; pass "
            "--protocol savee-loso"
        )
    said_with: dict[str, set[str]] = {name: set() for name in names}
    for name, emotion in zip(sentence.tolist(), table["emotion"].tolist(), strict=True):
        said_with[name].add(emotion)
    by_emotion: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        by_emotion.setdefault(tuple(sorted(said_with[name])), []).append(name)
    order = [
        name
        for emotions in sorted(by_emotion)
        for name in ranked(by_emotion[emotions], f"sentences/{seed}")
    ]
    count = min(PARTS_OF_SENTENCES, len(order))
    folds = []
    for one in several(table, "speaker"):
        for k in range(count):
            tested = np.isin(sentence, order[k::count])
            if (tested & (speaker == one)).any():
                folds.append(
                    Division(
                        held_out=f"speaker {one}, sentences {k + 1} of {count}",
                        learn=rows(~tested & (speaker != one)),
                        test=rows(tested & (speaker == one)),
                    )
                )
    return folds


def _unused(table: Table, folds: Splits) -> list[str]:
    every = len(table["path"])
    left = sorted({every - len(fold.learn) - len(fold.test) for fold in folds})
    count = str(left[0]) if len(left) == 1 else f"{left[0]} to {left[-1]}"
    return [
        f"each fold leaves {count} of {every} clips unused, so that neither a speaker nor a "
        "sentence is on both sides; over all folds every clip is tested once",
        "SAVEE does not say which texts its neutral clips repeat: an overlap of their text with "
        "other emotions' cannot be seen",
    ]


def _given_away(table: Table, folds: Splits) -> list[str]:
    return [
        "the text gives the label away: 12 of the 15 sentences of each emotion are its alone, and "
        "every sentence is on both sides; --protocol savee-strict keeps sentences apart"
    ]


EMODB = only(Splitter(corpora=("emodb",), groups=("speaker",), split=leave_one_speaker_out))
TESS = only(Splitter(corpora=("tess",), groups=("speaker", "sentence"), split=tess))
RAVDESS = only(Splitter(corpora=("ravdess",), groups=("speaker",), split=ravdess))
CREMAD = only(Splitter(corpora=("cremad",), groups=("speaker",), split=cremad))
SAVEE_STRICT = only(
    Splitter(
        corpora=("savee",),
        groups=("speaker", "sentence"),
        split=savee_strict,
        dev=("sentence",),  # the harder of the two, and the one that choices are misled by
        said=_unused,
    )
)
SAVEE = only(
    Splitter(corpora=("savee",), groups=("speaker",), split=leave_one_speaker_out, said=_given_away)
)
