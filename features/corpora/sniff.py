"""Files whose suffix says nothing of audio: what are they? Their first bytes are looked at.

A corpus may hold any number of other files, and recordings under any name: a phone's `.amr`, a
browser's `.webm`, `clip.wav` that became `clip.txt`, or `clip`. One that is passed over is missing
without a word, so every one is opened; it costs one read of a few bytes, on a network disk a round
trip. Tables are spared, and what lies in a store.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gensr.features.media.magic import HEAD, kind_of, placeholder
from gensr.features.media.peek import Peek

_ORDINARY = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".ico", ".svg"}
    | {".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".eaf", ".praat"}
    | {".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst", ".md5", ".sha256"}
    | {".npy", ".npz", ".pt", ".pth", ".ckpt", ".safetensors", ".pkl", ".parquet", ".arrow"}
    | {".h5", ".hdf5", ".mat", ".db", ".sqlite", ".pyc", ".so", ".exe", ".dll", ".ttf", ".lock"}
)
"""Suffixes of binary files that nobody takes for recordings."""
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Others:
    """Files without a suffix of audio, by what they hold; each sort in the order given."""

    audio: tuple[Path, ...]
    pointers: tuple[Path, ...]
    """Git's, to what was not fetched: nobody knows what it is."""
    unknown: tuple[Path, ...]
    """Neither audio, nor text, nor under a suffix of something else."""

    def notes(self) -> tuple[str, ...]:
        """Say what was taken, and what was left out."""
        notes = []
        if self.audio:
            notes.append(f"{_files(self.audio)} audio by content, taken as such")
        if self.pointers:
            notes.append(
                f"{_files(self.pointers)} left out as Git LFS or git-annex pointers: fetch them"
                " with `git lfs pull` or `git annex get`"
            )
        if self.unknown:
            notes.append(f"{_files(self.unknown)} left out, no audio gensr knows")
        return tuple(notes)


def _files(files: Iterable[Path]) -> str:
    """Count files by suffix.

    >>> _files([Path("a.xyz"), Path("b.xyz"), Path("c")])
    '3 files (.xyz 2, no suffix 1)'
    """
    counts = Counter(_shown(file.suffix.lower()) or "no suffix" for file in files)
    told = [f"{suffix} {count}" for suffix, count in counts.most_common(_SHOWN)]
    more = ["..."] if len(counts) > _SHOWN else []
    total = counts.total()
    return f"{total} file{'s' * (total > 1)} ({', '.join(told + more)})"


def look_into(files: Iterable[Path]) -> Others:
    """Look at the first bytes of files.

    Args:
        files: whose suffix says nothing of audio; what is no regular file, or cannot be read, is
            of no sort.
    """
    audio: list[Path] = []
    pointers: list[Path] = []
    unknown: list[Path] = []
    for file in files:
        if any(part.endswith(".zarr") for part in PurePosixPath(file.parent).parts[-4:]):
            continue
        sort = _sort(file)
        if sort is not None:
            {"audio": audio, "pointer": pointers, "unknown": unknown}[sort].append(file)
    return Others(tuple(audio), tuple(pointers), tuple(unknown))


def looks_like_audio(file: Path) -> bool:
    """Say whether a file begins as audio or video does.

    Args:
        file: any path; one that is no regular file, or cannot be read, does not.
    """
    return _sort(file) == "audio"


def _sort(file: Path) -> str | None:
    try:
        if not file.is_file():  # opening a named pipe would wait for ever
            return None
        with file.open("rb", buffering=0) as opened:
            peek = Peek(opened, block=HEAD)
            head = peek.at(0, HEAD)
            if kind_of(peek) is not None:
                return "audio"
    except OSError:
        return None
    ordinary = file.suffix.lower() in _ORDINARY
    if placeholder(head):
        return None if ordinary else "pointer"
    return None if ordinary or _is_text(head) else "unknown"


def _is_text(head: bytes) -> bool:
    """Whether bytes are text, in UTF-8, an older encoding or UTF-16 with its mark."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    return not any(letter < 0x20 and letter not in b"\t\n\v\f\r\x1b" for letter in head)


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
