"""Extractions onto real file systems that are too small or read-only; needs rights to mount.

unshare -rm python -m support.small_disks full CORPUS FOLDER OUT KIB...
unshare -rm python -m support.small_disks read-only CORPUS FOLDER OUT

Prints one JSON object a disk. What is left of each store is copied to FOLDER before the file
system goes with this process.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from gensr.estimator.errors import GensrError
from gensr.features.store.open import work_folder
from support.stub import extract


def mount(*args: object) -> None:
    subprocess.run(["mount", *map(str, args)], check=True)


def attempt(corpus: Path, out: Path) -> dict[str, Any]:
    try:
        encoded, skipped, clips = extract(corpus, out)
    except GensrError as error:
        return {"error": str(error)}
    return {"encoded": encoded, "skipped": skipped, "clips": clips}


def copy(source: Path, target: Path) -> None:
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def full(corpus: Path, folder: Path, name: str, kib: int) -> None:
    """Extract until the disk is full; make room; extract again."""
    disk = folder / f"disk{kib}"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", disk)
    out = disk / name
    first = attempt(corpus, out)
    done = work_folder(out) / "done"
    marked = len(list(done.iterdir())) if done.is_dir() else 0
    mount("-o", "remount,size=64m", disk)
    second = attempt(corpus, out)
    copy(out, folder / f"{kib}-{name}")
    left = sorted(path.name for path in disk.iterdir())
    print(json.dumps({"first": first, "marked": marked, "second": second, "left": left}))


def read_only(corpus: Path, folder: Path, name: str) -> None:
    """Extract where nothing may be written: beside nothing, and into a store."""
    disk = folder / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "tmpfs", disk)
    for where in ("empty", "store"):
        (disk / where).mkdir()
    attempt(corpus, disk / "store" / name)
    (corpus / "new").mkdir()
    shutil.copy(next(corpus.rglob("*.wav")), corpus / "new/z.wav")
    for where in ("empty", "store"):
        mount("--bind", disk / where, disk / where)
        mount("-o", "remount,bind,ro", disk / where)
        print(json.dumps(attempt(corpus, disk / where / name)))
    copy(disk / "store" / name, folder / f"after-{name}")


if __name__ == "__main__":
    kind, name = sys.argv[1], sys.argv[4]
    corpus, folder = Path(sys.argv[2]), Path(sys.argv[3])
    if kind == "full":
        for kib in map(int, sys.argv[5:]):
            full(corpus, folder, name, kib)
    else:
        read_only(corpus, folder, name)
