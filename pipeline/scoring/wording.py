"""Which class an answer in free text names: the rule for systems that talk.

An answer is read in this order; the first that applies decides.

1.  After the last "answer:" or "answer is" only what follows is read, if there is anything.
2.  The whole answer is a word for one class: its name, or another word for it.
3.  Classes are looked for as whole words, the longest first, case and accents aside. A word
    counts for a class where it names that class alone; three-letter codes only as whole answers.
    In scripts without spaces, two letters or more are looked for anywhere.
4.  A class under a negation is not named: after not, no, never, neither, nor, without, hardly,
    unlikely, cannot, ...n't, rather than, instead of, and their German, French, Spanish and
    Chinese like, until punctuation, but, however, although, rather or instead. "And" ends a
    negation unless an emotion stands right before it. "Not only", "no doubt" and "without a
    doubt" negate nothing.
5.  One class left: it is the answer. Two or more: ambiguous. None: a refusal where the answer
    says that it cannot or will not tell, else a miss.

What words name which class is of the corpora's own vocabulary (`features/corpora/vocabulary.py`),
as far as a word names one class of the protocol alone; other questions have their own few (women
and men). Nothing is ever guessed, and no class is the one that a miss becomes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gensr.features.corpora.labels import canonical, is_emotion, plain
from gensr.features.corpora.vocabulary import SHARED

MAPPED, AMBIGUOUS, REFUSED, MISSED = "mapped", "ambiguous", "refused", "missed"
"""What became of an answer."""

_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "female": ("woman", "women", "girl", "lady", "she", "her", "f", "w", "weiblich", "frau", "女"),
    "male": ("man", "men", "boy", "gentleman", "he", "his", "him", "m", "männlich", "mann", "男"),
}
"""Words for the classes of gender."""
_CODES = frozenset(("ang", "bor", "dis", "exc", "fea", "hap", "neu", "ps", "sur"))
"""Abbreviations: too short, or words of a language, within a sentence."""
_ALSO: Mapping[str, tuple[str, ...]] = {
    "anger": ("angrily",),
    "disgust": ("disgustedly", "disgustingly"),
    "fear": ("fearfully", "frightening", "terrified", "terror"),
    "happiness": ("happily", "joyfully", "cheerful", "cheerfully"),
    "neutral": ("neutrally", "unemotional"),
    "sadness": ("sadly",),
    "surprise": ("surprisingly", "amazed", "amazement"),
    "calm": ("calmly",),
    "boredom": ("boring", "boredly"),
}
"""What sentences say beyond the words that label clips."""
_NOT = frozenset(
    plain(word)
    for word in (
        *("not", "no", "never", "neither", "nor", "without", "hardly", "barely", "cannot"),
        *("unlikely", "nicht", "kein", "keine", "keinen", "weder", "pas", "ni", "sin"),
    )
)
_NOT_PHRASES = (("rather", "than"), ("instead", "of"), ("lack", "of"), ("absence", "of"),
                ("far", "from"), ("anything", "but"))  # fmt: skip
_NO_NEGATION: tuple[tuple[str, ...], ...] = (
    *(("not", "only"), ("not", "just"), ("not", "merely"), ("no", "doubt"), ("no", "question")),
    *(("without", "a", "doubt"), ("without", "doubt")),
)
_ENDS = frozenset(("but", "however", "although", "though", "rather", "instead", "yet", "sondern"))
_ENDS |= frozenset(("mais", "aber", "sino"))
_STOPS = frozenset(".,;:!?\n|/()。，；：！？、")
_NOT_BEFORE = ("不是", "并不", "没有", "不", "没", "非")
"""Right before a word of a script without spaces."""
_REFUSALS = re.compile(
    r"\b(sorry|apologi[sz]e|unable to|not able to|cannot|can ?not|can't|could ?n[o']t|won't|"
    r"not possible to|impossible to|as an? (?:ai|language model|assistant)|"
    r"(?:does not|do not|don't) have access|not enough information|insufficient information|"
    r"(?:do not|don't) know|not sure|not clear|unclear|(?:difficult|hard) to (?:say|tell)|"
    r"difficult to determine|hard to determine|"
    r"unknown|unk|n/?a|undetermined|indeterminate)\b|无法|抱歉|对不起|不能确定|不知道"
)
_DENIED = re.compile(r"\?\s*(?:no|nope|nein|non)\b", re.IGNORECASE)
"""An answer that takes back what it asked: `angry? no`."""
_ANSWER = re.compile(r"\banswer\s*(?:is|:|=)", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|\n")
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer was taken for."""

    outcome: str
    """`mapped`, `ambiguous`, `refused` or `missed`."""
    name: str = ""
    """The class, where it was mapped."""


class Wording:
    """Reads answers for the classes of one protocol."""

    def __init__(self, classes: Sequence[str]) -> None:
        """Prepare the words of the classes.

        Args:
            classes: their names.
        """
        self._classes = tuple(classes)

    def read(self, answer: str) -> Reading:
        """Take an answer for a class, or say why not.

        >>> wording = Wording(("anger", "happiness", "neutral"))
        >>> wording.read("The speaker sounds angry.").name
        'anger'
        >>> wording.read("Not angry, but happy").name
        'happiness'
        >>> wording.read("angry or happy").outcome, wording.read("I'm sorry, I cannot.").outcome
        ('ambiguous', 'refused')
        """
        text = answer.replace("’", "'")
        last = [found.end() for found in _ANSWER.finditer(text)]
        if last and text[last[-1] :].strip(" .:*\n"):
            text = text[last[-1] :]
        whole = plain(re.sub(r"[^\w\s'/-]", " ", text))
        if whole in self._words:
            return Reading(MAPPED, self._words[whole])
        named = self._named(text)
        if len(named) == 1 and not _DENIED.search(text):
            return Reading(MAPPED, named.pop())
        if named:
            return Reading(AMBIGUOUS)
        said = plain_quotes(answer).replace("_", " ")  # a token of a model: <|EMO_UNKNOWN|>
        return Reading(REFUSED if _REFUSALS.search(said) else MISSED)

    @cached_property
    def _words(self) -> dict[str, str]:
        """Every word that names one class alone, and the class."""
        own = {plain(name): name for name in self._classes}
        words: dict[str, set[str]] = {}
        for name in self._classes:
            for word in _others(name):
                words.setdefault(plain(word), set()).add(name)
        alone = {word: names.pop() for word, names in words.items() if len(names) == 1}
        return {**alone, **own}

    @cached_property
    def _phrases(self) -> dict[tuple[str, ...], str]:
        """Words to look for in a sentence, as tokens."""
        return {
            tuple(_TOKEN.findall(word)): name
            for word, name in self._words.items()
            if word not in _CODES and (len(word) > 1 or word.isdigit()) and word
        }

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._phrases), default=1)

    def _named(self, text: str) -> set[str]:
        """Classes that are named and not negated."""
        tokens = _TOKEN.findall("\n".join(map(plain, text.split("\n"))))
        named: set[str] = set()
        negated, emotion, at = False, False, 0
        while at < len(tokens):
            length, name = self._at(tokens, at)
            if length:
                if not negated:
                    named.add(name)
                emotion, at = True, at + length
                continue
            token = tokens[at]
            skip = _phrase(tokens, at, _NO_NEGATION)
            starts = _phrase(tokens, at, _NOT_PHRASES)
            if skip:
                at += skip - 1
            elif starts:
                negated, at = True, at + starts - 1
            elif token in _NOT or token.endswith("n't"):
                negated = True
            elif token in _STOPS or token in _ENDS or (token in ("and", "und") and not emotion):
                negated = False
            elif _SPACELESS.search(token):
                named |= self._within(token)
            emotion = is_emotion(token)
            at += 1
        return named

    def _at(self, tokens: list[str], at: int) -> tuple[int, str]:
        """Length in tokens of the longest word for a class here, and the class."""
        for length in range(min(self._longest, len(tokens) - at), 0, -1):
            name = self._phrases.get(tuple(tokens[at : at + length]))
            if name is not None:
                return length, name
        return 0, ""

    def _within(self, token: str) -> set[str]:
        """Classes named anywhere in a token of a script without spaces."""
        named = set()
        for word, name in sorted(self._words.items(), key=lambda item: -len(item[0])):
            if len(word) < 2 or not _SPACELESS.search(word):
                continue
            for found in re.finditer(re.escape(word), token):
                if not token[: found.start()].endswith(_NOT_BEFORE):
                    named.add(name)
            token = token.replace(word, " " * len(word))
        return named


def plain_quotes(text: str) -> str:
    """Lower case, with straight apostrophes."""
    return text.replace("’", "'").casefold()


def _others(name: str) -> tuple[str, ...]:
    """Other words for a class."""
    shared = canonical(name)
    if shared:
        return (shared, *SHARED[shared], *_ALSO.get(shared, ()))
    return _PEOPLE.get(plain(name), ())


def _phrase(tokens: list[str], at: int, phrases: Sequence[tuple[str, ...]]) -> int:
    """Length of a phrase that begins here; 0 where none does."""
    for phrase in phrases:
        if tuple(tokens[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0
