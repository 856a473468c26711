"""What a file's header and its last bytes say of its length, beside what libsndfile says.

A clip that was cut off must not pass for a whole one. libsndfile reads on happily where data
are missing, so the length that was promised is looked up here, format by format. Whether the
fields of one header agree is looked up in `chunks.py`.
"""

import math
import os
import re
from io import FileIO
from typing import Any

from gensr.features.audio.errors import AudioError

UNKNOWN_SIZE = 0x7FFF_0000
"""Sizes from here up, and 0, are what writers into a pipe put where they cannot know the length."""


def promised_seconds(sound: Any, file: FileIO, held: int) -> float | None:
    """How long the header says the clip is; None where it does not say.

    libsndfile cuts a too large data size of a WAV, AIFF or AU file to what is there and tells
    its log only. For FLAC and MP3 it hands the header's word on; for an MP3 without a Xing or
    Info tag it guesses from the first frame's bit rate, which promises nothing.

    Raises:
        AudioError: the header promises less than nothing.
    """
    frames: int = sound.frames
    rate: int = sound.samplerate
    if sound.format == "MP3":
        return frames / rate if _mp3_has_length(file) else None
    if sound.format == "NIST":
        found = re.search(rb"sample_count -i (\d+)", read_at(file, 0, 1024))
        return int(found[1]) / rate if found else None
    log = sound.extra_info
    if ds64 := re.search(r"frame count \d+ does not match .* of (\d+)\.", log):
        return int(ds64[1]) / rate
    if re.search(r"^ *data : -\d", log, re.M):  # W64 has room for it
        raise AudioError("damaged header: a negative size")
    sizes = re.search(r"^ *(?:data|SSND|Data Size|riff) *: (\d+) \(should be (\d+)\)", log, re.M)
    if sizes:
        header_bytes, bytes_held = int(sizes[1]), int(sizes[2])
        if header_bytes >= UNKNOWN_SIZE or not header_bytes:
            return None
        if not held:
            return math.inf
        return header_bytes / bytes_held * held / rate  # compressed or not, in proportion
    return frames / rate if frames < 2**62 else None  # 2^63 - 1: "unknown"


def _mp3_has_length(file: FileIO) -> bool:
    """Whether the first MPEG frame carries the number of frames."""
    first = read_at(file, after_tag(file), 256)
    return any(tag in first for tag in (b"Xing", b"Info", b"VBRI"))


def after_tag(file: FileIO) -> int:
    """Where a file begins, in bytes, behind the ID3 tag that some have in front."""
    head = read_at(file, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    # four bytes of seven bits each
    return 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))


def ogg_ends(file: FileIO) -> bool:
    """Whether the last Ogg page is whole and flagged as the end of its stream."""
    tail = read_at(file, max(0, file.seek(0, os.SEEK_END) - (1 << 17)), 1 << 17)
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or page[:4] != b"OggS":
        return False
    table = page[27 : 27 + page[26]]
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + sum(table)


def read_at(file: FileIO, start: int, count: int) -> bytes:
    """Up to `count` bytes from a place on."""
    file.seek(start)
    return file.read(count)
