"""How tables write that they do not know: which cells are no value.

pandas' and R's own words for it, in the spelling that programs write (`nan` and `NaN`, but not
the first name `Nan`; `None`, but not `none`, which is an emotion's word in some corpora), in
every column. JSON's null and NaN are read as empty before. `NA` is missing although somebody's
initials may be NA: it is R's word and pandas', so a note counts what was taken so; a dash is
missing where no cell of its column is a plus.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

WORDS: frozenset[str] = frozenset(
    (
        *("nan", "NaN", "NAN", "-nan", "-NaN", "+nan", "NaT", "<NA>", "NA", "N/A", "n/a"),
        *("#N/A", "#NA", "#N/A N/A", "#NULL!", "NULL", "null", "None", "<null>", "<none>"),
        *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
    )
)
DASHES: frozenset[str] = frozenset(("-", "--", "\N{EN DASH}", "\N{EM DASH}"))


_ANY_CASE = frozenset(word.casefold() for word in WORDS)


def no_number(cell: str) -> bool:
    """Say whether a cell of a column of numbers holds none: no word means anything else there.

    >>> no_number(" none "), no_number("Nan"), no_number("left")
    (True, True, False)
    """
    word = cell.strip().casefold()
    return not word or word in _ANY_CASE


def without_missing(
    columns: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> tuple[list[Mapping[str, str]], Mapping[tuple[str, str], int]]:
    """Return rows whose missing cells are empty, and how often which word was taken for that.

    Args:
        columns: All columns.
        rows: Cells by column.

    Returns:
        The rows, and counts by (column, word).
    """
    words = dict.fromkeys(columns, WORDS | DASHES)
    for name in columns:
        if any(row[name] == "+" for row in rows):
            words[name] = WORDS
    counts: Counter[tuple[str, str]] = Counter()
    blanked: list[Mapping[str, str]] = []
    for row in rows:
        blank = [name for name, cell in row.items() if cell in words[name]]
        counts.update((name, row[name]) for name in blank)
        blanked.append({**row, **dict.fromkeys(blank, "")} if blank else row)
    return blanked, counts


def told(table: str, missing: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    """Return a note for each column of which cells were taken as missing.

    Args:
        table: Its name.
        missing: As `without_missing` counts.
    """
    notes = []
    for column in dict.fromkeys(column for column, _ in missing):
        words = ", ".join(f"{word!r} ({n})" for (c, word), n in missing.items() if c == column)
        notes.append(f"{table}: cells of {column!r} taken as missing: {words}")
    return tuple(notes)
