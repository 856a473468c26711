"""MPEG streams: made to be cut into anywhere, they have no beginning, no end and no list at all.

So it is their packets that are counted: which audio streams they belong to, and that none of the
audio's is missing.
"""

from gensr.features.audio.errors import AudioError
from gensr.features.media.magic import transport_packets
from gensr.features.media.peek import Peek

_NONE = 0x1FFF
"""Packets of this number fill time."""


def check_transport(peek: Peek, start: int) -> int:
    """Follow the packets of MPEG-TS; return where they end.

    Raises:
        AudioError: packets are missing or torn, or there are two audio streams.
    """
    before, step = transport_packets(peek, start) or (0, 188)
    sounds: set[int] = set()
    counters: dict[int, int] = {}
    for place in range(start, peek.length, step):
        head = peek.at(place + before, 188)
        if head[:1] != b"\x47":
            raise AudioError(f"damaged: no packet at byte {place}, where one should be")
        if len(head) < 188:
            raise AudioError("truncated: the last packet is torn")
        pid, first = int.from_bytes(head[1:3], "big") & 0x1FFF, head[1] & 0x40
        fields, counter = head[3] >> 4 & 3, head[3] & 15
        content = 4 + (1 + head[4] if fields & 2 else 0)
        restarted = fields & 2 and head[4] and head[5] & 0x80
        if pid == _NONE or not fields & 1:
            continue
        if first and _is_sound(head[content : content + 4]):
            sounds.add(pid)
        wanted = counters.get(pid)
        told = wanted is not None and not restarted
        # A packet may be there twice.
        if pid in sounds and told and counter not in (wanted, (counters[pid] - 1) % 16):
            raise AudioError(f"damaged: packets of the audio are missing at byte {place}")
        counters[pid] = (counter + 1) % 16
    _one(sounds)
    return peek.length


def check_program(peek: Peek, start: int) -> int:
    """Follow the packets of an MPEG program stream; return where they end.

    Raises:
        AudioError: one is torn, or there are two audio streams.
    """
    sounds: set[int] = set()
    place = start
    while place < peek.length:
        head = peek.at(place, 14)
        if head[:3] != b"\0\0\x01":
            if not peek.at(place, 64).strip(b"\0"):
                place += len(peek.at(place, 64))
                continue
            raise AudioError(f"damaged: no packet at byte {place}, where one should be")
        if head[3] == 0xB9:
            place += 4
        elif head[3] == 0xBA:
            place += 14 + (head[13] & 7 if len(head) == 14 else 0) if head[4] >> 6 == 1 else 12
        else:
            body = peek.at(place + 6, 3)
            if head[3] == 0xBD and len(body) == 3:
                inner = peek.number(place + 9 + body[2], 1)  # AC-3, DTS and PCM share a number
                sounds |= {0xBD00 + inner} if inner >= 0x80 else set()
            elif 0xC0 <= head[3] < 0xE0:
                sounds.add(head[3])
            place += 6 + int.from_bytes(head[4:6], "big")
    if place > peek.length:
        raise AudioError("truncated: the last packet is torn")
    _one(sounds)
    return peek.length


def _is_sound(head: bytes) -> bool:
    """Whether a packet begins audio: MPEG's own kinds, or AC-3 and others as private data."""
    return (
        head[:3] == b"\0\0\x01" and len(head) == 4 and (0xC0 <= head[3] < 0xE0 or head[3] == 0xBD)
    )


def _one(sounds: set[int]) -> None:
    if len(sounds) > 1:
        raise AudioError(f"{len(sounds)} audio streams in one file: split it into one file each")
