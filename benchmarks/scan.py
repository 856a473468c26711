"""How long until gensr knows what lies under a folder, against a bare walk?

Against: `os.walk`, and `os.stat` of every file: the least that anybody can do who wants to know
what is there. By turns in one process, all of it in the system's cache, medians; a ratio is the
median of the turns' ratios. The files are named as corpora name theirs: folders that are classes,
and CREMA-D's names.

    python benchmarks/scan.py
"""

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from extraction_parts.report import machine

from gensr.features.corpora import cremad
from gensr.features.corpora.scan import scan

LABELS = (
    *("anger", "boredom", "calm", "contempt", "disgust"),
    *("fear", "happiness", "neutral", "sadness", "surprise"),
)


def by_folders(files: int) -> Iterator[str]:
    """Yield paths under ten emotions' folders, a hundred files a folder below."""
    for number in range(files):
        yield f"{LABELS[number % 10]}/{number // 1000:03}/{number:06}.wav"


def by_names(files: int) -> Iterator[str]:
    """Yield CREMA-D's names, over and over; once more in another format is no recording more."""
    actors = map(str, range(1001, 1092))
    parts = itertools.product(actors, cremad.SENTENCES, cremad.EMOTIONS, cremad.LEVELS)
    names = ["_".join(part) for part in parts]
    suffixes = ("wav", "flac", "mp3", "ogg", "m4a", "mp4", "opus", "aiff")
    for number in range(files):
        again, place = divmod(number, len(names))
        yield f"{suffixes[again]}/{names[place]}.{suffixes[again]}"


def write(root: Path, paths: Iterator[str]) -> None:
    """Write files that hold nothing but the beginning of one."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"RIFF")


def bare(root: Path) -> int:
    """Walk, and look at every file."""
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118
            count += 1
    return count


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(files: int, repeats: int, folder: Path) -> None:
    """Print a row for each sort of names."""
    print(f"{files:,} files\n")
    print("| told by | walk and stat, s | scan, s | ratio | bar |\n|---|---|---|---|---|")
    for what, names in (("folders", by_folders), ("names", by_names)):
        root = folder / what
        write(root, names(files))
        bare(root), scan(root)
        turns = [
            (seconds(lambda: bare(root)), seconds(lambda: scan(root)))  # noqa: B023
            for _ in range(repeats)
        ]
        plain, ours = (median(column) for column in zip(*turns, strict=True))
        ratio = median(own / other for other, own in turns)
        print(f"| {what} | {plain:.2f} | {ours:.2f} | {ratio:.2f} | 4 |", flush=True)
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7, help="turns")
    parser.add_argument("--folder", type=Path, help="for the files; default: temporary")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as made:
        main(given.files, given.repeats, Path(made))
