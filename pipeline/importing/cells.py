"""Cells of tables as text, as pyarrow reads them."""

from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gensr.estimator.errors import one_line
from gensr.features.corpora.errors import CorpusError


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
def reading(path: Path) -> Any:
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
        return {name: [cell_of(cell) for cell in table[name].to_pylist()] for name in asked}


def cell_of(value: Any) -> str:
    """A cell as text, empty where there is none; a span of time in seconds."""
    if value is None or value != value:
        return ""
    if hasattr(value, "total_seconds"):
        return f"{value.total_seconds():.9f}".rstrip("0").rstrip(".")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column of whole numbers with a gap: speaker 3, not 3.0
    return str(value).strip()
