"""Fonts for names in any script: matplotlib's own, then those of the machine that have the rest.

matplotlib brings DejaVu Sans, which has Latin, Greek, Cyrillic, Arabic and more, and no Chinese,
Japanese, Korean, Thai or Hindi. A glyph that no font has is a box and a warning; such a name is
drawn as its code points instead, and said.
"""

from collections.abc import Iterable
from functools import cache

from gensr.pipeline.scoring import canvas  # noqa: F401  first, as there

# isort: split
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

OURS = "DejaVu Sans"
"""Comes with matplotlib."""
_PREFERRED = ("Noto Sans", "Source Han Sans", "PingFang", "Microsoft YaHei", "Malgun", "Arial")
"""Beginnings of the names of plain fonts that are taken before others."""
_MOST_CODES = 4
"""Code points in one name: more would leave no room for the picture."""
_NO_TEXT = ("Last Resort", "STIX", "cm", "DejaVu Math")
"""Fonts of boxes and of formulas."""


def families(texts: Iterable[str]) -> tuple[list[str], frozenset[str]]:
    """Return font families that have the letters of texts, and the letters that none has.

    Args:
        texts: whatever is drawn.

    Returns:
        For `font.family`: matplotlib's own, and as few others as are needed; then what is lacking.
    """
    wanted = {letter for text in texts for letter in text if not letter.isspace()}
    found = [OURS]
    left = wanted - _letters(font_manager.findfont(OURS))
    for name, path in _others() if left else ():
        has = left & _letters(path)
        if has:
            found.append(name)
            left -= has
        if not left:
            break
    return found, frozenset(left)


def drawable(text: str, lacking: frozenset[str]) -> str:
    """Return a text with the letters that no font has as code points, four of them at most.

    >>> drawable("中立", frozenset("立"))
    '中U+7ACB'
    """
    shown, codes = "", 0
    for letter in text:
        codes += letter in lacking
        if codes > _MOST_CODES:
            return f"{shown}…"
        shown += f"U+{ord(letter):04X}" if letter in lacking else letter
    return shown


def _others() -> list[tuple[str, str]]:
    """Return name and path of the machine's upright fonts of text, the likeliest first."""
    upright = {
        font.name: font.fname
        for font in font_manager.fontManager.ttflist
        if font.style == "normal"
        and str(font.weight) in ("400", "normal", "regular", "book")
        and not font.name.startswith((*_NO_TEXT, OURS))
    }
    return sorted(
        upright.items(),
        key=lambda item: (not item[0].startswith(_PREFERRED), "Mono" in item[0], item[0]),
    )


@cache
def _letters(path: str) -> frozenset[str]:
    """Return the letters that a font's file has; none where it cannot be read."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()
