"""Audio under a suffix that says otherwise: `clip.wav` that became `clip.txt`, `clip.raw`, `clip`.

Files are taken for audio by suffix, because a corpus may hold any number of other files. One that
was renamed would be missing without a word, so the others' first bytes are looked at.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_MAGIC = (b"fLaC", b"OggS", b".snd", b"caff", b"ID3")
_RIFF = (b"RIFF", b"RIFX", b"RF64")
_AIFF = (b"AIFF", b"AIFC")
_PATIENCE = 1_000
"""Files of one suffix that are opened in vain; each costs a round trip on a network disk."""


def disguised_audio(files: Iterable[Path]) -> list[Path]:
    """Return the files that begin as audio files do, in the order given.

    Where the first thousand files of one suffix are no audio, nor are the others taken to be.

    Args:
        files: Files whose suffix says nothing of audio; what cannot be read is none.
    """
    found: list[Path] = []
    in_vain: Counter[str] = Counter()
    promising: set[str] = set()
    for file in files:
        suffix = file.suffix.lower()
        if in_vain[suffix] >= _PATIENCE and suffix not in promising:
            continue
        if looks_like_audio(file):
            found.append(file)
            promising.add(suffix)
        else:
            in_vain[suffix] += 1
    return found


def looks_like_audio(file: Path) -> bool:
    """Say whether a file begins as WAV, AIFF, FLAC, Ogg, AU, CAF or tagged MP3 do.

    Args:
        file: Any path; one that is no regular file, or cannot be read, does not.
    """
    try:
        if not file.is_file():  # opening a named pipe would wait for ever
            return False
        with file.open("rb", buffering=0) as opened:
            head = opened.read(12)
    except OSError:
        return False
    kind = head[8:12]
    riff = head[:4] in _RIFF and kind == b"WAVE"
    return riff or (head[:4] == b"FORM" and kind in _AIFF) or head.startswith(_MAGIC)
