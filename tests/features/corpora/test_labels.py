"""The shared words and their synonyms."""

import pytest

from gensr.features.corpora.labels import CANONICAL, canonical, plain
from gensr.features.corpora.vocabulary import SHARED, UNSHARED


@pytest.mark.parametrize("word", CANONICAL)
def test_a_canonical_word_is_its_own(word: str) -> None:
    assert canonical(word) == word
    assert canonical(f" {word.upper()} ") == word


@pytest.mark.parametrize(
    ("native", "word"),
    [
        ("angry", "anger"),
        ("ANG", "anger"),
        ("joy", "happiness"),
        ("Happy", "happiness"),
        ("sad", "sadness"),
        ("fearful", "fear"),
        ("anxiety/fear", "fear"),
        ("surprised", "surprise"),
        ("ps", "surprise"),
        ("Pleasant_Surprise", "surprise"),
        ("pleasant-surprised", "surprise"),
        ("disgusted", "disgust"),
        ("calm", "calm"),
        ("bored", "boredom"),
        ("Aerger", "anger"),
        ("UEBERRASCHUNG", "surprise"),
        ("neutral state", "neutral"),
    ],
)
def test_synonyms(native: str, word: str) -> None:
    assert canonical(native) == word


@pytest.mark.parametrize("native", ["", " ", "a", "frustrated", "excited", "angry man", "wav", "0"])
def test_no_guess(native: str) -> None:
    assert canonical(native) == ""


def test_no_synonym_means_two_things() -> None:
    synonyms = [plain(word) for words in SHARED.values() for word in words]
    assert len(set(synonyms)) == len(synonyms)
    assert set(synonyms).isdisjoint(CANONICAL)
    assert {plain(word) for word in UNSHARED}.isdisjoint({*synonyms, *CANONICAL})
