"""Files to hear, and who hears them: what tests of decoders have in common."""

import os
import subprocess
import sys
from functools import partial

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


def run(tmp_path, code, *arguments):
    script = tmp_path / "script.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
    )
