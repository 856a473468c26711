r"""Names and labels of others, shown as the text that they are.

A label, a speaker or a file's name may hold an escape that clears the terminal, a formula that a
spreadsheet would compute, or a dollar that begins mathematics in a picture. It is kept in the
store as it is; here it is made harmless on its way to a person, and what was hidden is seen.
(What cannot be in a store at all, as no name may be bytes that are no UTF-8, is written there as
`features.corpora.names.printable` has it.)
"""

import json
import re
from typing import Any

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Marks that turn the direction of what follows: `gpj.exe` may read as `exe.jpg`."""
_HIDDEN = re.compile(
    rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff{_BIDI}\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What a terminal obeys or does not show. Joiners stay: words of Persian and Hindi need them."""
_FORMULA = re.compile(r"[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""First characters that spreadsheets take for a formula, in their wide forms too."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_ESCAPE = re.compile(r"\\(?:\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_LONGEST = 40
"""Characters of a name in a picture; more would leave no room for what it names."""


def visible(text: str) -> str:
    r"""Return a text for a terminal: one line, nothing in it obeyed, nothing hidden.

    >>> visible("sad\x1b[2J\n")
    'sad\\x1b[2J\\n'
    """
    return _HIDDEN.sub(lambda found: _escaped(found[0]), text)


def in_picture(text: str, longest: int = _LONGEST) -> str:
    r"""Return a text for matplotlib: `visible`, no mathematics, and not too long.

    >>> in_picture("$\\frac{x$")
    '\\$\\frac{x\\$'
    """
    text = visible(text)
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return text.replace("$", r"\$")


def to_cell(text: str) -> str:
    r"""Return a text for a cell of a CSV file that no spreadsheet computes and no terminal obeys.

    Such a text gets a leading apostrophe, which spreadsheets take for "this is text", and in it
    backslashes are doubled and hidden characters escaped. All others stay as they are.

    >>> to_cell("=1+1"), to_cell("-1"), to_cell("happy")
    ("'=1+1", '-1', 'happy')
    """
    formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    if not formula and not text.startswith("'") and not _HIDDEN.search(text):
        return text
    escaped = _HIDDEN.sub(lambda found: _code(found[0]), text.replace("\\", "\\\\"))
    return f"'{escaped}"


def from_cell(cell: str) -> str:
    r"""Return the text that `to_cell` was given.

    >>> from_cell(to_cell("=a\x07\\n"))
    '=a\x07\\n'
    """
    if not cell.startswith("'"):
        return cell
    return _ESCAPE.sub(_unescaped, cell[1:])


def in_json(value: Any) -> str:
    r"""Return a JSON document, in the letters that the value has but for what a terminal obeys.

    In JSON such characters occur in strings alone, and those below a space are escaped already.

    >>> in_json(["立", "\x9b2J"])
    '[\n  "立",\n  "\\u009b2J"\n]\n'
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    plain = _HIDDEN.sub(lambda found: found[0] if found[0] == "\n" else _unit(found[0]), text)
    return f"{plain}\n"


def _escaped(letter: str) -> str:
    return {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(letter) or _code(letter)


def _code(letter: str) -> str:
    number = ord(letter)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _unit(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _unescaped(found: re.Match[str]) -> str:
    code = found[0][1:]
    return code if code == "\\" else chr(int(code[1:], 16))
