"""Where a benchmark keeps what it makes: a folder that was asked for, or one that goes again."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def work_folder(kept: Path | None) -> Iterator[Path]:
    """Return the folder, made and absolute; without one, a temporary one.

    Args:
        kept: what `--work` says.
    """
    if kept is None:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
    else:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
