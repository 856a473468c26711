"""What an object is, for a notebook: named facts, or rows, as a small table of HTML.

Names of others are shown as the text that they are (`shown.py`), here as everywhere.
"""

from collections.abc import Iterable, Sequence
from html import escape

from gensr.features.shown import visible

_LEFT = ' style="text-align: left"'


def facts_card(title: str, facts: Iterable[tuple[str, str]], notes: Iterable[str] = ()) -> str:
    """Return a table of two columns, names and values, under a title.

    >>> facts_card("store a.zarr", [("clips", "3")])[:27]
    '<table><caption style="text'
    """
    rows = [
        f"<tr><th{_LEFT}>{_text(name)}</th><td{_LEFT}>{_text(value)}</td></tr>"
        for name, value in facts
    ]
    return _table(title, rows) + "".join(f"<p>{_text(note)}</p>" for note in notes)


def rows_card(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a head, under a title."""
    parts = [f"<tr>{''.join(f'<th>{_text(cell)}</th>' for cell in head)}</tr>"]
    parts += [f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return _table(title, parts)


def _table(title: str, rows: Sequence[str]) -> str:
    caption = f"<caption{_LEFT}>{_text(title)}</caption>"
    return f"<table>{caption}<tbody>{''.join(rows)}</tbody></table>"


def _text(text: str) -> str:
    return escape(visible(text))
