"""Files to hear, and who hears them: what tests of decoders have in common."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from gensr.features.corpora import Clip
from gensr.features.hearing.decode import read_audio
from gensr.features.hearing.survey import hear_in_children, survey
from gensr.features.hearing.verdict import Verdict


def write(path, seed=0, rate=16_000):
    noise = np.random.default_rng(seed).normal(0, 0.1, 800 + 10 * seed)
    soundfile.write(os.fsencode(path), noise, rate, format="WAV", subtype="FLOAT")
    return path


def heard_alone(path):
    wave = read_audio(path)
    return wave.file_sha256, Verdict(len(wave.samples), wave.sha256)


def listen(root, decoders, **how):
    clips = [Clip(path=path.name, corpus="c") for path in sorted(root.glob("*.wav"))]
    return survey(root, clips, hear=partial(hear_in_children, decoders=decoders), **how)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "\nState:\tZ" in status.read_text()


@contextmanager
def within(seconds):
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def wait_for(true):
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def run(tmp_path, code, *arguments):
    script = tmp_path / "script.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
    )
