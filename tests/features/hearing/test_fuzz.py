"""Damaged files by the hundred: each is used rightly or named with a reason; none costs the run.

Oracles, none of which is the code under test: libsndfile on the bytes in memory (another way in
than the descriptor), the length of the clip before it was cut, and Python's own WAV reader.
"""

import io
import math
import time
import wave

import numpy as np
import pytest
import soundfile

from gensr.features.audio.mixdown import LONGEST_SECONDS
from gensr.features.corpora import Clip
from gensr.features.encoders import Encoder
from gensr.features.hearing.survey import survey
from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import ExtractConfig, extract

FORMS = {
    "u8.wav": ("WAV", "PCM_U8"),
    "16.wav": ("WAV", "PCM_16"),
    "24.wav": ("WAV", "PCM_24"),
    "float.wav": ("WAV", "FLOAT"),
    "double.wav": ("WAV", "DOUBLE"),
    "extensible.wav": ("WAVEX", "PCM_16"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "16.flac": ("FLAC", "PCM_16"),
    "24.flac": ("FLAC", "PCM_24"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.ogg": ("OGG", "OPUS"),
    "3.mp3": ("MP3", "MPEG_LAYER_III"),
    "16.aiff": ("AIFF", "PCM_16"),
    "float.aiff": ("AIFF", "FLOAT"),
    "16.au": ("AU", "PCM_16"),
    "16.caf": ("CAF", "PCM_16"),
    "16.w64": ("W64", "PCM_16"),
}
SECONDS = 0.6
LIES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\0", b"\0\0\0\x80")
CUT = "cut"
SLACK = 0.011
"""Seconds: what writers round and encoders pad (10 ms), and a sample."""


def signal(rate, seed):
    """A voice of sorts: a buzz with a moving pitch, in breath."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(SECONDS * rate)) / rate
    buzz = np.sin(2 * np.pi * np.cumsum(120 + 30 * np.sin(9 * time)) / rate)
    return 0.3 * np.clip(3 * buzz, -1, 1) + 0.02 * rng.standard_normal(len(time))


def synthetic(folder):
    """Whole clips to be damaged: one of each format."""
    folder.mkdir()
    for number, (name, (form, subtype)) in enumerate(FORMS.items()):
        rate = 22_050 if name in ("24.wav", "24.flac") else 16_000
        samples = signal(rate, number)
        if name in ("24.wav", "extensible.wav", "16.flac"):
            samples = np.stack([samples, samples[::-1]], axis=1)
        soundfile.write(folder / name, samples, rate, format=form, subtype=subtype)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def real(corpora):
    """Whole clips to be damaged, of EmoDB and RAVDESS, as far as they are here."""
    found = [*sorted((corpora / "emodb" / "wav").glob("*.wav"))[::180]]
    found += sorted((corpora / "ravdess").glob("Actor_*/*.flac"))[::700]
    return {path.name: path.read_bytes() for path in found}


def damaged(rng, seeds):
    """Return one damaged file: how it was damaged, its seed, its bytes, its suffix."""
    name = sorted(seeds)[rng.integers(len(seeds))]
    data = bytearray(seeds[name])
    how = str(rng.choice([CUT, "flip", "flips", "lie", "zeros", "suffix", "join", "noise", "drop"]))
    suffix = name[name.rindex(".") :]
    head = min(len(data), 120)
    if how == CUT:
        end = rng.integers(len(data)) if rng.random() < 0.8 else rng.integers(head)
        data = data[:end]
    elif how in ("flip", "flips"):
        for _ in range(1 if how == "flip" else rng.integers(2, 30)):
            place = rng.integers(head if rng.random() < 0.7 else len(data))
            data[place] ^= 1 << int(rng.integers(8))
    elif how == "lie":
        place = int(rng.integers(0, head - 4))
        data[place : place + 4] = LIES[rng.integers(len(LIES))]
    elif how == "zeros":
        place = int(rng.integers(len(data)))
        length = int(rng.integers(1, 3_000))
        data[place : place + length] = bytes(len(data[place : place + length]))
    elif how == "suffix":
        suffix = str(rng.choice([".wav", ".flac", ".ogg", ".mp3", ".aiff", ".raw", ".txt"]))
    elif how == "join":
        other = seeds[sorted(seeds)[rng.integers(len(seeds))]]
        data += other[: rng.integers(1, len(other))] if rng.random() < 0.5 else other
    elif how == "noise":
        data[head:] = rng.bytes(len(data) - head)
    else:  # bytes that are lost on the way
        place = int(rng.integers(len(data)))
        del data[place : place + int(rng.integers(1, 500))]
    return how, name, bytes(data), suffix


class Length(Encoder):
    """A clip's vector is its length, as the encoder is given it."""

    name = "length"
    layers = ("x1",)
    width = 1
    equal_lengths = False

    def _encode(self, waveforms):
        return np.array([[[len(wave)]] for wave in waveforms], np.float32)

    def provenance(self):
        return {"name": self.name}


def length_at_16_khz(data):
    """Length by another way into libsndfile: no file, no descriptor, all at once."""
    with soundfile.SoundFile(io.BytesIO(data)) as sound:
        frames = len(sound.read(dtype="float32"))
        return math.ceil(frames * 16_000 / sound.samplerate)


def python_length(data):
    """Length as Python's own reader has it; None where it does not read the file.

    It believes the size of the whole before that of the samples: asked where that is right.
    """
    if int.from_bytes(data[4:8], "little") != len(data) - 8:
        return None
    try:
        with wave.open(io.BytesIO(data)) as file:
            width = file.getsampwidth() * file.getnchannels()
            frames = len(file.readframes(file.getnframes())) // width
            return math.ceil(frames * 16_000 / file.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return None


HOW_MANY = pytest.mark.parametrize(
    ("seed", "count"), [(0, 600), pytest.param(1, 12_000, marks=pytest.mark.slow)]
)


@HOW_MANY
def test_damaged_files(tmp_path, seed, count):
    whole = synthetic(tmp_path / "seeds")
    used = expect_answers(tmp_path, whole, np.random.default_rng(seed), count)
    assert {"flip", "zeros", "suffix"} <= used


@pytest.mark.parametrize(
    ("seed", "count"), [(0, 500), pytest.param(1, 3_000, marks=pytest.mark.slow)]
)
def test_damaged_real_clips(tmp_path, corpora, seed, count):
    whole = real(corpora)
    assert whole
    used = expect_answers(tmp_path, whole, np.random.default_rng(seed), count)
    assert {"flip", "zeros", "suffix"} <= used


def expect_answers(tmp_path, whole, rng, count):
    """Damage clips, extract them, and hold every answer and vector against the oracles.

    Returns:
        How the files that could be used had been damaged.
    """
    root = tmp_path / "corpus"
    root.mkdir()
    made = {}
    for number in range(count):
        how, name, data, suffix = damaged(rng, whole)
        path = f"{number:05d}-{how}{suffix}"
        (root / path).write_bytes(data)
        made[path] = (how, name, data)
    (root / "manifest.csv").write_text("file,emotion\n" + "".join(f"{path},sad\n" for path in made))
    config = ExtractConfig(encoder="length", max_seconds=LONGEST_SECONDS, allow_errors=count)
    begin = time.monotonic()
    report = extract(root, tmp_path / "s.zarr", config, encoder=Length())
    assert time.monotonic() - begin < 60 + 0.2 * count
    with open_store(tmp_path / "s.zarr") as store:
        used, heard = store.table["path"].tolist(), store.table["samples"].tolist()
        vectors = store.vectors()[:, 0, 0].tolist()
    assert sorted([*used, *(problem.path for problem in report.failed)]) == sorted(made)
    for problem in report.failed:
        assert problem.reason
        assert "\n" not in problem.reason
        assert len(problem.reason) < 250
        assert not problem.reason.startswith("the decoder "), problem  # crashed, failed, too slow
        assert made[problem.path][0] != "suffix", problem
    lengths = {name: length_at_16_khz(data) for name, data in whole.items()}
    for path, samples, vector in zip(used, heard, vectors, strict=True):
        how, name, data = made[path]
        assert vector == samples == length_at_16_khz(data), (path, name)
        if how in (CUT, "suffix"):
            assert samples >= lengths[name] - SLACK * 16_000, (path, name)
        expected = python_length(data)
        if expected is not None:
            assert samples == expected, (path, name)
    return {made[path][0] for path in used}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e30])
@pytest.mark.parametrize("form", ["WAV", "AIFF", "CAF", "AU"])
def test_numbers_that_are_none(tmp_path, bad, form):
    samples = signal(16_000, 0)
    for place in (0, 4_000, len(samples) - 1):
        broken = samples.copy()
        broken[place] = bad
        soundfile.write(tmp_path / f"{place}.wav", broken, 16_000, format=form, subtype="DOUBLE")
    paths = sorted(path.name for path in tmp_path.iterdir())
    found = survey(tmp_path, [Clip(path=path, corpus="c") for path in paths])
    assert [problem.path for problem in found.problems] == paths
    assert all("finite" in item.reason or "full scale" in item.reason for item in found.problems)


def test_real_clips_with_numbers_that_are_none(tmp_path, corpora):
    """Each of them in each place of some clip."""
    expected = {}
    for number, data in enumerate(real(corpora).values()):
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
        for turn, place in enumerate((0, len(samples) // 2, len(samples) - 1)):
            broken = samples.copy()
            broken[place] = (math.nan, math.inf, -math.inf)[(number + turn) % 3]
            path = f"{number}-{place}.wav"
            soundfile.write(tmp_path / path, broken, rate, format="WAV", subtype="FLOAT")
            expected[path] = "holds samples that are not finite (NaN or infinity)"
        soundfile.write(tmp_path / f"{number}.wav", samples, rate, format="WAV", subtype="FLOAT")
    clips = [Clip(path=path.name, corpus="c") for path in sorted(tmp_path.iterdir())]
    found = survey(tmp_path, clips)
    assert {problem.path: problem.reason for problem in found.problems} == expected
    assert len(found.heard) == len(expected) // 3 > 3


def test_every_cut_of_a_small_file(tmp_path):
    """Not at random: each length that a file of 50 ms can be cut to."""
    samples = signal(16_000, 0)[:800]
    for name in ("16.wav", "16.flac", "16.aiff", "3.mp3", "vorbis.ogg"):
        form, subtype = FORMS[name]
        soundfile.write(tmp_path / name, samples, 16_000, format=form, subtype=subtype)
        data = (tmp_path / name).read_bytes()
        whole = length_at_16_khz(data)
        step = max(1, len(data) // 300)
        cuts = [*range(0, len(data), step)]
        for cut in cuts:
            (tmp_path / f"{cut}-{name}").write_bytes(data[:cut])
        clips = [Clip(path=f"{cut}-{name}", corpus="c") for cut in cuts]
        found = survey(tmp_path, clips)
        assert len(found.heard) + len(found.problems) == len(cuts)
        assert all(item.samples >= whole - SLACK * 16_000 for item in found.heard), name
