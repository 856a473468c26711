"""What was written is read back before it takes the place of anything.

Whatever lies below (a container, a file system, a network disk) may take a name or a text for
another and say nothing. Then the store that stands there must go on standing.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.store import schema
from gensr.features.store.errors import StoreError
from gensr.features.store.table import Columns
from gensr.features.store.where import Where


class Reader(Protocol):
    """What reads one store back; see `Backend` in open.py."""

    path: Where

    def column(self, group: str, name: str) -> NDArray[Any]:
        """Return one column of a table."""


def check_written(reader: Reader, columns: Columns, failed: Columns) -> None:
    """Compare both tables, as any reader would find them, with what was to be written.

    Raises:
        StoreError: naming the first column that is lost or another.
    """
    for group, table in ((schema.CLIPS, columns), (schema.FAILED, failed)):
        for name, wanted in table.items():
            why = ""
            try:
                found = reader.column(group, name)
                if found.dtype != wanted.dtype or not np.array_equal(found, wanted):
                    why = "its values are others"
            except (StoreError, OSError, ValueError, RuntimeError, TypeError) as error:
                why = one_line(error)
            if why:
                raise StoreError(
                    f"{reader.path}: column {group}/{name} was written, but reads back otherwise "
                    f"({why}); nothing was published, what stood there stands: rename the "
                    "column, or write to another disk"
                )
