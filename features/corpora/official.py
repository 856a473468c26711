"""The official split, in all the ways that folders and tables write it: train, dev, test.

`eval` is two words in one. Beside a test part it is what is looked at meanwhile (ESD, Hugging
Face), so dev; beside a dev part, or train alone, it is what is tested (Kaldi), so test. Where
both a dev and a test part are there, it is neither, and refused.
"""

import re
from collections.abc import Iterable, Mapping

TRAIN, DEV, TEST = "train", "dev", "test"
EVAL = "eval"
"""What cannot be told from the word alone; see `meanings`."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    TRAIN: ("train", "training", "trn", "tr", "learn", "learning"),
    DEV: ("dev", "devel", "development", "val", "valid", "validation", "validate", "cv"),
    TEST: ("test", "testing", "tst", "tt", "heldout", "holdout"),
    EVAL: ("eval", "evaluation", "evaluate"),
}
_PARTS: Mapping[str, str] = {word: part for part, words in _WORDS.items() for word in words}
_BESIDE = frozenset(
    (
        *("set", "sets", "split", "splits", "data", "part", "partition", "subset", "complete"),
        *("output", "repeats", "official", "wav", "wavs", "audio", "flac", "clips", "files"),
    )
)
"""Words beside it: `train_splits`, and `output_repeats_splits_test` (MELD)."""


def part_of(word: str) -> str:
    """Return `train`, `dev`, `test`, `eval`, or nothing where a word is no split's.

    >>> part_of("Training"), part_of("validation_set"), part_of("Test split"), part_of("fold1")
    ('train', 'dev', 'test', '')
    """
    short = word.strip().casefold()
    if short.endswith(("set", "split")):  # in one word: trainset
        short = short.removesuffix("set").removesuffix("split")
    tokens = [token for token in re.split(r"[\s_-]+", short) if token not in {"", *_BESIDE}]
    return _PARTS.get(tokens[0], "") if len(tokens) == 1 else ""


def meanings(parts: Iterable[str]) -> Mapping[str, str]:
    """Return what each part of a corpus is: itself, and for `eval` what is not there else.

    Args:
        parts: As `part_of` gives them, over the whole corpus.

    Raises:
        ValueError: `eval` beside both a dev and a test part.

    >>> meanings(["train", "eval", "test"])["eval"], meanings(["train", "eval"])["eval"]
    ('dev', 'test')
    """
    there = set(parts)
    if EVAL in there and {DEV, TEST} <= there:
        raise ValueError("its splits are dev, test and eval: rename eval to one of the others")
    known = {part: part for part in ("", TRAIN, DEV, TEST)}
    return known | {EVAL: DEV if TEST in there else TEST}
