"""Frames of MPEG audio and raw AAC are found where they are, however many bytes look like one."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.media.mpeg import adts_frame, first_in_a_row, in_a_row, mpeg_frame
from gensr.features.media.peek import Peek

HEADS = {
    mpeg_frame: [
        "fffb9064",
        "fffb9264",
        "fff3e0c4",
        "fffd8004",
        "ffe380c4",
        "ffff1c00",
        "fffb0064",
    ],
    adts_frame: ["fff1508002bffc", "fff94080013ffc", "fff15c8001bffc", "fff1508000dffc"],
}
"""Headers of frames: of one stream, of others, and of free format."""


def one_by_one(data, start, parse, within):
    """What it should find: every place asked, by the rules of a frame alone."""
    peek = Peek(io.BytesIO(data))
    stop = min(start + within, len(data))
    return next((at for at in range(start, stop) if in_a_row(peek, at, parse)), None)


def piece_of(parse):
    """Stretches of silence, of noise, of what looks like headers, and frames in their length."""
    heads = [bytes.fromhex(head) for head in HEADS[parse]]

    def frame(head):
        found = parse(head.ljust(8, b"\0"))
        return head.ljust(found.length if found else 4, b"\x55")

    quiet = st.integers(1, 80).map(lambda n: b"\xff\xff\x01\x00\xfe\xff" * n)
    row = st.tuples(st.sampled_from(heads), st.integers(1, 6)).map(lambda it: frame(it[0]) * it[1])
    return st.one_of(quiet, st.binary(max_size=60), st.sampled_from(heads), row)


@pytest.mark.parametrize("parse", HEADS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_it_finds_what_asking_every_byte_finds(parse, data):
    content = b"".join(data.draw(st.lists(piece_of(parse), max_size=6)))
    content = content[: data.draw(st.integers(0, len(content)))]
    start = data.draw(st.integers(0, len(content)))
    within = data.draw(st.sampled_from([1, 300, 2_000, 1 << 17]))
    found = first_in_a_row(Peek(io.BytesIO(content)), start, parse, within)
    assert found == one_by_one(content, start, parse, within)


@pytest.mark.parametrize("parse", HEADS)
@pytest.mark.parametrize("seed", range(3))
def test_a_quiet_recording_leads_nowhere(parse, seed):
    samples = np.random.default_rng(seed).normal(0, 3, 10_000).astype("<i2").tobytes()
    assert samples.count(b"\xff") > 4_000
    assert first_in_a_row(Peek(io.BytesIO(samples)), 0, parse) == one_by_one(
        samples, 0, parse, len(samples)
    )
