"""Cells of tables as text, as pyarrow reads them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from gensr.estimator.errors import one_line
from gensr.features.corpora.errors import CorpusError
from gensr.pipeline.importing.parts import seconds_of

_TICKS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
"""Decimals of a second."""


def arrow(path: Path) -> tuple[Any, Any]:
    """Pyarrow's readers of CSV and of parquet: an extra, and slow to import.

    Raises:
        CorpusError: it is not installed.
    """
    try:
        import pyarrow.csv as arrow_csv
        import pyarrow.parquet as arrow_parquet
    except ImportError as error:
        raise CorpusError(f"{path}: tables need pyarrow; install gensr[tables]") from error
    return arrow_csv, arrow_parquet


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of what cannot be read where and why, in a line."""
    try:
        yield
    except CorpusError:
        raise
    except (OSError, ValueError, KeyError) as error:  # Arrow's own are ValueErrors and KeyErrors
        raise CorpusError(f"{path}: cannot be read as a table ({one_line(error)})") from error


def read_columns(path: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """Some columns of a parquet or CSV table, nothing else of it.

    Raises:
        CorpusError: one is not there, or the table cannot be read.
    """
    from_csv, from_parquet = arrow(path)
    asked = list(dict.fromkeys(names))
    with reading(path):
        if path.suffix == ".parquet":
            lacking = [name for name in asked if name not in from_parquet.read_schema(path).names]
            if lacking:
                raise CorpusError(f"{path}: no column {lacking[0]!r}, which its header names")
            table = from_parquet.read_table(path, columns=asked)
        else:
            table = from_csv.read_csv(
                path,
                parse_options=from_csv.ParseOptions(newlines_in_values=True),
                convert_options=from_csv.ConvertOptions(
                    include_columns=asked, column_types=dict.fromkeys(asked, "string")
                ),
            )
        return {name: texts(table[name]) for name in asked}


def texts(column: Any) -> list[str]:
    """The cells of a column; spans of time in seconds, to the last digit, and without pandas."""
    from pyarrow import int64, types

    if not types.is_duration(column.type):
        return [cell_of(cell) for cell in column.to_pylist()]
    ticks = _TICKS[column.type.unit]
    spans = column.cast(int64()).to_pylist()
    return ["" if n is None else _number(Decimal(n).scaleb(-ticks)) for n in spans]


def cell_of(value: Any) -> str:
    """A cell as text; empty where there is none, or a thing with parts of its own."""
    if value is None or value != value or isinstance(value, dict | list | tuple | set):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column of whole numbers with a gap: speaker 3, not 3.0
    return str(value).strip()


@lru_cache(65_536)
def plain(cell: str, dtype: object) -> str:
    """A cell as it is written in parquet and CSV alike: 3 for 3.0, a day without its midnight.

    Args:
        cell: as text.
        dtype: audformat's name of a type.
    """
    try:
        if dtype in ("int", "float"):
            return _number(Decimal(cell))
        if dtype == "time":
            found = seconds_of(cell)
            return "" if found is None else _number(found)
    except (ArithmeticError, ValueError):
        return cell
    return cell.removesuffix(" 00:00:00") if dtype == "date" else cell


def _number(value: Decimal) -> str:
    if not value.is_finite():
        return ""
    return f"{value:f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))
