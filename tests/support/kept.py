"""What earlier versions wrote, as it lies in tests/fixtures."""

import shutil
import zipfile
from pathlib import Path

FIXTURES = Path(__file__).parents[1] / "fixtures"
CORPUS = FIXTURES / "0.1.0/corpus"
"""What all kept stores were made of."""
CLIPS, SHARD = 24, 5
"""How many clips it has, and how many a shard of the kept stores."""


def unpack(version: str, archive: str, folder: Path) -> Path:
    """Lay a version's `stores` or `runs` into a folder, and return it."""
    with zipfile.ZipFile(FIXTURES / version / f"{archive}.zip") as packed:
        packed.extractall(folder)
    return folder


def stores(version: str, folder: Path) -> Path:
    """Lay a version's stores into a folder as they were left, and their corpus beside them."""
    shutil.copytree(CORPUS, folder / "corpus")
    return unpack(version, "stores", folder)
