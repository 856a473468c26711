"""What the name of a folder says of the files below it: emotion, split, gender, speaker, ...

A name is told by itself where it can be (`Angry`, `train`, `female`, `Actor_03`, `Session1`).
`jenie_Amused` holds an emotion and something else, which is a speaker where the same else stands
beside several emotions and several elses are there (EmoV-DB), a number where it merely orders
(`01_neutral`), and otherwise makes the name unclear: files below an unclear name are not used.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gensr.features.corpora.labels import is_emotion, plain
from gensr.features.corpora.official import part_of

GENDERS: Mapping[str, str] = {
    **dict.fromkeys(("f", "female", "females", "w", "woman", "women", "fem"), "female"),
    **dict.fromkeys(("m", "male", "males", "man", "men"), "male"),
}
"""Words for the two genders that a corpus may name, in lower case."""

EMOTION, SPLIT, GENDER, SPEAKER = "emotion", "split", "gender", "speaker"
SESSION, SENTENCE, LANGUAGE = "session", "sentence", "language"
CONTAINER = "container"
"""Says nothing: `wav`, `data`, `take2`."""
SETTING = "setting"
"""How it was spoken or recorded: no speaker, and no class beside emotions."""
UNCLEAR = "unclear"
"""An emotion's word and something else."""
NAME = "name"
"""Anything: a class, a speaker, a place."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONTAINERS = _words(
    "wav wavs wave waves flac mp3 ogg audio audios data dataset clips clip file files recordings"
    " recording samples sample raw processed corpus corpora speakers actors sessions emotions"
    " sentences utterances downloads 16k 16khz 44k 48k 16bit mono stereo"
)
_SETTINGS = _words(
    "studio phone telephone indoor outdoor indoors outdoors clean noisy noise acted natural"
    " spontaneous elicited scripted script improvised improvisation impro song singing close far"
    " near headset speech normal strong weak mild low medium high intense loud soft quiet whisper"
    " whispered"
)
_COUNTED = "take|fold|part|disc|disk|cd|vol|volume|batch|chunk|day|scene|version|rep|repetition"
_LANGUAGES = _words(
    "english german deutsch french francais spanish espanol italian italiano portuguese dutch"
    " chinese mandarin cantonese japanese korean turkish russian polish arabic persian farsi urdu"
    " hindi bengali bangla greek hungarian estonian danish swedish norwegian finnish czech"
    " vietnamese thai indonesian malay tamil telugu amharic hebrew"
)
_NUMBERED: Mapping[str, re.Pattern[str]] = {
    role: re.compile(rf"(?:{words}) ?(?:no |nr )?(?:\d+\w?|[a-z])", re.ASCII)
    for role, words in {
        SPEAKER: "speaker|spk|spkr|actor|actress|subject|subj|participant|person|talker|sprecher"
        "|schauspieler|locuteur|hablante|acteur",
        SESSION: "session|sess|ses|dialog|dialogue",
        SENTENCE: "sentence|text|phrase|utterance|utt|statement|satz",
        CONTAINER: f"{_COUNTED}|v",
    }.items()
}
_MODIFIERS = _words(
    "very slightly strong weak mild high low medium hot cold positive negative pleasant"
    " unpleasant pleasantly not no non without half more less un state mixed"
)
_ID = re.compile(r"[a-z]{0,4} ?\d+[a-z]?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Told:
    """What a folder's name says."""

    role: str
    label: str = ""
    """The value, in the name's own spelling."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """What a name says beside its emotion, by role."""


def looks_like_an_id(name: str) -> bool:
    """Say whether a name counts people rather than naming a class: `0001`, `F03`, `spk12`."""
    return _ID.fullmatch(plain(name)) is not None


def tell_all(names: Iterable[str]) -> Mapping[str, Told]:
    """Tell what each folder's name says, given all names of a tree.

    Args:
        names: Every folder's name, each once or more.
    """
    told = {name: _alone(name) for name in set(names)}
    parted = {name: found for name in told if told[name].role == NAME and (found := _part(name))}
    letters = {
        word
        for name in (*told, *(rest for rest, _, _ in parted.values()))
        if len(word := plain(name)) == 1
    }
    people = not letters <= {*GENDERS}  # `f` among `a` to `g` is no woman
    if people:
        told |= {name: Told(NAME, name) for name in told if plain(name) in letters}
    emotions: dict[str, set[str]] = defaultdict(set)
    for rest, word, _ in parted.values():
        emotions[plain(rest)].add(plain(word))
    for name, (rest, word, first) in parted.items():
        crossed = len(emotions[plain(rest)]) > 1
        told[name] = _compound(
            name, rest, word, crossed=crossed, several=len(emotions) > 1, first=first, people=people
        )
    return told


def _alone(name: str) -> Told:
    word = plain(name)
    if is_emotion(name):
        return Told(EMOTION, name)
    if part := part_of(name):
        return Told(SPLIT, part)
    if word in GENDERS:
        return Told(GENDER, GENDERS[word])
    for role, pattern in _NUMBERED.items():
        if pattern.fullmatch(word):
            return Told(role, name)
    if word in _LANGUAGES:
        return Told(LANGUAGE, name)
    if word in _CONTAINERS:
        return Told(CONTAINER, name)
    return Told(SETTING if word in _SETTINGS else NAME, name)


def _part(name: str) -> tuple[str, str, bool] | None:
    """Part a name into the emotion at one end and the rest; whether the rest is first.

    >>> _part("jenie_Amused"), _part("03-pleasant surprise"), _part("anna")
    (('jenie', 'Amused', True), ('03', 'pleasant surprise', True), None)
    """
    tokens = list(re.finditer(r"[^\W\d_]+|\d+", name))
    for cut in range(1, len(tokens)):  # the longest emotion first
        head, tail = name[: tokens[cut - 1].end()], name[tokens[cut].start() :]
        if is_emotion(tail):
            return head, tail, True
    for cut in range(len(tokens) - 1, 0, -1):
        head, tail = name[: tokens[cut - 1].end()], name[tokens[cut].start() :]
        if is_emotion(head):
            return tail, head, False
    return None


def _compound(
    name: str, rest: str, word: str, *, crossed: bool, several: bool, first: bool, people: bool
) -> Told:
    """Tell what a name of two parts says.

    Args:
        name: All of it.
        rest: What is not the emotion.
        word: The emotion.
        crossed: Whether the same rest stands beside other emotions too.
        several: Whether there are other rests.
        first: Whether the rest is before the emotion.
        people: Whether a single letter counts people, and is no gender.
    """
    alone = Told(NAME, rest) if people and len(plain(rest)) == 1 else _alone(rest)
    if any(is_emotion(token) or token in _MODIFIERS for token in plain(rest).split()):
        return Told(EMOTION, name)  # not_angry, happy_sad: a class of its own
    if alone.role in (SPLIT, GENDER, SPEAKER, LANGUAGE, SESSION, SENTENCE):
        return Told(EMOTION, word, {alone.role: alone.label})
    if rest.isdecimal():
        return Told(EMOTION, word, {SPEAKER: rest} if crossed and several and first else {})
    if alone.role in (CONTAINER, SETTING) or (crossed and not several):
        return Told(EMOTION, word)
    return Told(EMOTION, word, {SPEAKER: rest}) if crossed else Told(UNCLEAR, name)
