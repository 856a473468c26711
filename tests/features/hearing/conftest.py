"""Decoders that misbehave on some names, and a small corpus."""

import sys

import pytest

from gensr.features.hearing.decoders import Decoders
from support import decoding

WORSE_CHILD = """
import os, signal, sys, time
from pathlib import Path
from gensr.features.hearing import decode_child

HERE = Path(__file__).parent
with open(HERE / "pids", "a") as pids:
    print(os.getpid(), file=pids)
decode = decode_child.decode

def worse(file, segment=None):
    name = Path(os.fsdecode(file.name)).name
    if name.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("once") and not (HERE / "crashed").exists():
        (HERE / "crashed").touch()
        os.abort()
    if name.startswith("hang"):
        time.sleep(1000)
    if name.startswith("slow"):
        time.sleep(2)
    if name.startswith("print"):
        os.write(1, b"[1]\\n" * 100)
        os.write(2, b"x" * 1_000_000)
    if name.startswith("odd"):
        raise KeyError("of the decoder's own")
    if name.startswith("memory"):
        raise MemoryError
    if name.startswith("late"):
        decode_child.to_16_khz = late
    if name.startswith("last"):
        os.unlink(__file__)
        os.abort()
    return decode(file, segment)

def late(samples, rate):
    time.sleep(4)
    return to_16_khz(samples, rate)

to_16_khz = decode_child.to_16_khz
decode_child.decode = worse
decode_child.main()
"""


@pytest.fixture
def worse(tmp_path):
    """Make decoders whose process misbehaves on some names; they are closed at the end."""
    folder = tmp_path / "child"
    folder.mkdir()
    (folder / "worse.py").write_text(WORSE_CHILD)
    made = []

    def make(count=2, **settings):
        decoders = Decoders(count, command=(sys.executable, str(folder / "worse.py")), **settings)
        made.append(decoders)
        return decoders

    make.pids = lambda: [int(line) for line in (folder / "pids").read_text().split()]
    yield make
    for decoders in made:
        decoders.close()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(12):
        decoding.write(folder / f"{number:02d}.wav", number)
    return folder
