"""The words for emotions that all corpora share, and the many ways corpora write them.

Mapping is by meaning only: nothing is merged (calm stays apart from neutral, excitement is not
happiness, frustration is not anger). What has no shared word maps to the empty string, and the
native label remains; merging and dropping classes is a later, explicit choice.
"""

import re

CANONICAL: tuple[str, ...] = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "calm",
    "boredom",
)
"""The shared labels: six basic emotions and neutral, then those that few corpora have."""

# Adjectives, nouns and the three-letter codes of CREMA-D and IEMOCAP. Single letters mean
# different things in different corpora (EmoDB's A is Angst, SAVEE's a is anger): none here.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "anger": ("angry", "ang", "hot anger", "cold anger", "rage"),
    "disgust": ("disgusted", "dis"),
    "fear": ("fearful", "fea", "afraid", "scared", "anxiety/fear", "fear/anxiety"),
    "happiness": ("happy", "hap", "joy", "joyful"),
    "neutral": ("neu", "neutrality", "neutral state", "no emotion"),
    "sadness": ("sad",),
    # "ps" is how TESS writes pleasant surprise in its file names.
    "surprise": (
        "surprised",
        "sur",
        "ps",
        "pleasant surprise",
        "pleasant surprised",
        "pleasantly surprised",
    ),
    "calm": ("calmness",),
    "boredom": ("bored", "bor"),
}

_WORDS: dict[str, str] = {word: word for word in CANONICAL} | {
    synonym: word for word, synonyms in _SYNONYMS.items() for synonym in synonyms
}


def canonical(native: str) -> str:
    """Return the shared word for a corpus's own label, or the empty string.

    Case, surrounding space, underscores and hyphens do not matter.

    Args:
        native: The label as the corpus, the manifest or the folder writes it.

    >>> canonical("Pleasant_Surprise"), canonical("ANG"), canonical("frustrated")
    ('surprise', 'anger', '')
    """
    return _WORDS.get(re.sub(r"[\s_-]+", " ", native).strip().casefold(), "")
