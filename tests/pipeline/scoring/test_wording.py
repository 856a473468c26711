"""Answers in free text, read by the rule that wording.py states."""

import pytest

from gensr.features.corpora.vocabulary import SHARED
from gensr.pipeline.scoring.wording import Wording

SEVEN = ("anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness")


def read(text, classes=SEVEN):
    found = Wording(classes).read(text)
    return found.name or found.outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anger", "anger"),
        ("ANGRY", "anger"),
        ("The speaker sounds angry.", "anger"),
        ("**Sad**", "sadness"),
        ("<|HAPPY|>", "happiness"),
        ("生气/angry", "anger"),
        ("说话人听起来很生气", "anger"),
        ("der Sprecher ist wütend", "anger"),
        ("ang", "anger"),
        ("fear/anxiety", "fear"),
        ("There is no emotion in this voice", "neutral"),
        ("The person isn't shouting and sounds bored", "boredom"),
        ("I'm sorry to hear that you're sad", "sadness"),
        ("no doubt angry", "anger"),
        ("Without a doubt, this is fear.", "fear"),
    ],
)
def test_one_class_named(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not angry, but sad", "sadness"),
        ("not angry, sad", "sadness"),
        ("neither angry nor sad; neutral", "neutral"),
        ("She is neither happy nor sad, but neutral.", "neutral"),
        ("I don’t think the speaker is happy.", "missed"),
        ("It can't be anger; it's fear", "fear"),
        ("fear rather than anger", "fear"),
        ("sadness instead of anger", "sadness"),
        ("without any anger; sadness", "sadness"),
        ("nicht traurig, sondern wütend", "anger"),
        ("不是生气", "missed"),
        ("not happy and excited", "missed"),
        ("There is no anger.", "missed"),
        ("anything but happy", "missed"),
        ("The voice is far from happy; sad.", "sadness"),
        ("nothing but anger", "anger"),
    ],
)
def test_a_negated_class_is_not_named(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "angry or sad",
        "not only angry but also sad",
        "Happy. Or is it fear?",
        "生气或害怕",
        "angry? no",
    ],
)
def test_two_classes_are_ambiguous(text):
    assert read(text) == "ambiguous"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, I cannot determine the emotion.",
        "As an AI language model, I can't listen to audio",
        "I am unable to tell",
        "I cannot tell whether the speaker is angry",
        "N/A",
        "unknown",
        "<unk>",
        "I don't know",
        "unclear",
        "It is difficult to determine.",
        "<|en|><|EMO_UNKNOWN|><|Speech|>",
        "抱歉，我无法判断",
    ],
)
def test_refusals(text):
    assert read(text) == "refused"


@pytest.mark.parametrize(
    "text",
    [
        "surprised",
        "He is surprised, not sad",
        "the weather",
        "no strong emotion",
        "42",
        "A",
        "dis!x",
    ],
)
def test_what_names_no_class_is_a_miss_and_none_is_guessed(text):
    assert read(text) == "missed"


def test_after_the_word_answer_only_the_rest_counts():
    assert read("It may be happy or sad. Final answer: sad") == "sadness"
    assert read("The answer is not angry but sad") == "sadness"
    assert read("happy. Answer:") == "happiness"


def test_a_word_that_would_name_two_classes_names_none_but_itself():
    classes = ("happy", "joy", "sad")
    assert read("joy", classes) == "joy"
    assert read("happy", classes) == "happy"
    assert read("cheerful", classes) == "missed"
    assert read("sorrow", classes) == "sad"


def test_names_of_several_words_are_the_longest_that_fit():
    classes = ("no emotion", "pleasant surprise", "surprise")
    assert read("a pleasant surprise!", classes) == "pleasant surprise"
    assert read("There is no emotion.", classes) == "no emotion"


def test_a_class_of_ones_own():
    classes = ("frustrated", "excited", "Kid's voice")
    assert read("The speaker is FRUSTRATED.", classes) == "frustrated"
    assert read("kid's voice", classes) == "Kid's voice"
    assert read("angry", classes) == "missed"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The speaker is a woman.", "female"), ("Male", "male"), ("a male voice, she", "ambiguous")],
)
def test_gender(text, expected):
    assert read(text, ("female", "male")) == expected


def test_every_word_of_the_vocabulary_names_its_class():
    for shared, words in SHARED.items():
        for word in (shared, *words):
            assert read(word, tuple(SHARED)) == shared, word
