"""Spellings of one label are one class, and words are never joined."""

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.corpora.clip import Clip
from gensr.features.corpora.scan import scan
from gensr.features.corpora.spelling import joined


def clips(*emotions: str, **fields: Any) -> list[Clip]:
    return [
        Clip(path=f"{n}.wav", corpus="mine", emotion=emotion, **fields)
        for n, emotion in enumerate(emotions)
    ]


def test_case_space_and_unicode_forms() -> None:
    found, notes = joined(
        clips(
            "angry", "Angry", "angry", "ANGRY ", "an\u200bgry", "sad\u00a0man", "sad man", "anger"
        )
    )
    assert [clip.emotion for clip in found] == ["angry"] * 5 + ["sad man"] * 2 + ["anger"]
    assert notes == (
        "spellings of one emotion joined as 'angry': 'angry' (2), 'ANGRY ' (1), 'Angry' (1), "
        "'an\\u200bgry' (1)",
        "spellings of one emotion joined as 'sad man': 'sad man' (1), 'sad\\xa0man' (1)",
    )


def test_composed_and_decomposed_are_one() -> None:
    forms = [unicodedata.normalize(form, "Überraschung") for form in ("NFC", "NFD", "NFD")]
    found, notes = joined(clips(*forms))
    assert {clip.emotion for clip in found} == {forms[0]}
    assert len(notes) == 1


def test_speakers_are_joined_within_their_corpus_alone() -> None:
    two = [
        Clip(path="a.wav", corpus="a", speaker="Anna"),
        Clip(path="b.wav", corpus="a", speaker="anna"),
        Clip(path="c.wav", corpus="b", speaker="anna"),
    ]
    found, notes = joined(two)
    assert [clip.speaker for clip in found] == ["Anna", "Anna", "anna"]
    assert len(notes) == 1


def test_other_columns_are_joined_where_they_tell_classes() -> None:
    moods = [Clip(path=f"{n}.wav", corpus="a", extra={"mood": m, "text": f"{m} {n}"})
             for n, m in enumerate(("Up", "up", "down", "up"))]  # fmt: skip
    found, notes = joined([*moods, Clip(path="z.wav", corpus="a", extra={"text": "UP 0"})])
    assert [clip.extra.get("mood") for clip in found] == ["up", "up", "down", "up", None]
    assert found[0].extra["text"] == "Up 0"  # a transcript is no class
    assert len(notes) == 1


SPELT = st.sampled_from(
    [str.upper, str.lower, str.title, lambda w: f"\u00a0{w}", lambda w: f"{w}\u200b "]
    + [lambda w, f=form: unicodedata.normalize(f, w) for form in ("NFC", "NFD", "NFKC", "NFKD")]
)
WORDS = ("anger", "angry", "Überraschung", "colère", "pleasant surprise", "생기", "злость", "x")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.lists(SPELT, max_size=3)), min_size=1))
def test_any_spelling_of_a_word_is_its_class(drawn) -> None:
    spelt = []
    for word, changes in drawn:
        form = word
        for change in changes:
            form = change(form)
        spelt.append(form)
    found, notes = joined(clips(*spelt))
    classes: dict[str, set[str]] = {word: set() for word, _ in drawn}
    forms: dict[str, set[str]] = {word: set() for word, _ in drawn}
    for clip, form, (word, _) in zip(found, spelt, drawn, strict=True):
        classes[word].add(clip.emotion)
        forms[word].add(form)
    assert all(len(names) == 1 for names in classes.values())
    assert len(set.union(*classes.values())) == len(classes)
    assert len(notes) == sum(len(several) > 1 for several in forms.values())
    again, none = joined(found)
    assert (again, none) == (found, ())


def test_folders_that_differ_in_case(tmp_path: Path) -> None:
    for name in ("Angry/a", "angry/b", "ANGRY /c", "Angry/d", "sad/e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.wav").touch()
    found = scan(tmp_path)
    assert Counter(clip.emotion for clip in found.clips) == {"Angry": 4, "sad": 1}
    assert any("'Angry' (2), 'ANGRY ' (1), 'angry' (1)" in note for note in found.notes)
