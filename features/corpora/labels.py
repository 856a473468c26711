"""The words for emotions that all corpora share, and the many ways corpora write them.

Mapping is by meaning only: nothing is merged (calm stays apart from neutral, excitement is not
happiness, frustration is not anger). What has no shared word maps to the empty string, and the
native label remains; merging and dropping classes is a later, explicit choice.
"""

import re
import unicodedata
from functools import cache

from gensr.features.corpora.vocabulary import SHARED, UNSHARED

CANONICAL: tuple[str, ...] = tuple(SHARED)
"""The shared labels: six basic emotions and neutral, then those that few corpora have."""


@cache
def plain(word: str) -> str:
    """Return a word as it is looked up: case, accents, underscores, hyphens do not matter.

    >>> plain("Pleasant_Surprise"), plain("COLÈRE"), plain(" no-break\u00a0space ")
    ('pleasant surprise', 'colere', 'no break space')
    """
    letters = unicodedata.normalize("NFKD", word).casefold().replace("ı", "i")
    kept = "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf"))
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFC", kept)).strip()


_WORDS: dict[str, str] = {
    plain(word): shared for shared, words in SHARED.items() for word in (shared, *words)
}
_EMOTIONS: frozenset[str] = frozenset(_WORDS) | frozenset(map(plain, UNSHARED))


def canonical(native: str) -> str:
    """Return the shared word for a corpus's own label, or the empty string.

    Args:
        native: The label as the corpus, the manifest or the folder writes it.

    >>> canonical("Pleasant_Surprise"), canonical("ANG"), canonical("frustrated")
    ('surprise', 'anger', '')
    """
    return _WORDS.get(plain(native), "")


def is_emotion(word: str) -> bool:
    """Say whether a word names an emotion, shared or not.

    >>> is_emotion("frustrated"), is_emotion("0001"), is_emotion("生气")
    (True, False, True)
    """
    return plain(word) in _EMOTIONS
