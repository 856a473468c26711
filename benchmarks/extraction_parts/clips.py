"""The clips that every system hears: 16 kHz mono 16-bit WAV files in folders of classes.

One format for all, because the systems differ in what they can read and resample, and that is
not the question here. Made once into the work folder; the same settings find them again.
"""

import json
import os
import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Hz."""
CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
MEDIAN, SPREAD, SHORTEST, LONGEST = 3.6, 0.5, 1.0, 15.0
"""Lengths in seconds: log-normal, 4 s on average, as acted and conversational corpora have them."""
_SOURCE_SECONDS = 300
_AUDIO = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """A folder of clips and how much audio it holds."""

    root: str
    count: int
    samples: int
    origin: str
    """Where the audio came from, for the report."""

    @property
    def seconds(self) -> float:
        """Audio in seconds."""
        return self.samples / RATE


def list_clips(root: Path) -> list[Path]:
    """Every clip, in path order."""
    return sorted(root.rglob("*.wav"))


def prepare_clips(folder: Path, *, seconds: float, corpus: Path | None, seed: int = 0) -> Clips:
    """Make the clips, or find those made before with the same settings.

    Args:
        folder: the work folder.
        seconds: audio wanted.
        corpus: real audio to take at random until there is enough; without it, synthesised.
        seed: of lengths, cuts and choice.
    """
    name = "synthetic" if corpus is None else corpus.resolve().name
    root = folder / f"clips-{name}-{round(seconds)}s-{seed}"
    record = folder / f"{root.name}.json"
    if record.is_file():
        return Clips(**json.loads(record.read_text()))
    if corpus is None:
        lengths = _synthesise(root, round(seconds * RATE), seed)
    else:
        lengths = _convert(root, round(seconds * RATE), corpus, seed)
    origin = "synthesised" if corpus is None else f"from {name}"
    made = Clips(root=str(root), count=len(lengths), samples=sum(lengths), origin=origin)
    os.sync()  # the first system must not pay for our writing
    record.write_text(json.dumps(asdict(made)))
    return made


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    """Write (n,) 16-bit samples at 16 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def draw_lengths(samples: int, seed: int) -> list[int]:
    """Clip lengths in samples that add up to `samples`, the last one cut or dropped."""
    rng = np.random.default_rng(seed)
    lengths: list[int] = []
    left = samples
    while left >= SHORTEST * RATE:
        drawn = np.clip(MEDIAN * rng.lognormal(0.0, SPREAD), SHORTEST, LONGEST)
        lengths.append(min(round(float(drawn) * RATE), left))
        left -= lengths[-1]
    return lengths or [max(samples, RATE // 2)]


def speech_like(seconds: float, seed: int) -> NDArray[np.int16]:
    """Harmonics of a wandering pitch and noise, both under syllables; (n,) at 16 kHz."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    knots = np.linspace(0.0, seconds, max(2, round(seconds * 4)))
    pitch = np.interp(t, knots, rng.uniform(90.0, 260.0, len(knots)))  # Hz
    loud = np.interp(t, knots, rng.uniform(0.0, 1.0, len(knots)) ** 2)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 9))
    signal = loud * (0.6 * voice + 0.4 * rng.standard_normal(n)) + 1e-3 * rng.standard_normal(n)
    return (signal / np.abs(signal).max() * 30_000).astype(np.int16)


def _synthesise(root: Path, samples: int, seed: int) -> list[int]:
    """Cut clips out of one long signal, each from a place of its own so that none repeats."""
    lengths = draw_lengths(samples, seed)
    source = speech_like(_SOURCE_SECONDS, seed)
    rooms = len(source) - round(LONGEST * RATE)
    starts = np.random.default_rng(seed + 1).choice(rooms, len(lengths), replace=False)
    paths = _paths(root, len(lengths))

    def write(i: int) -> None:
        write_wav(paths[i], source[starts[i] : starts[i] + lengths[i]])

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, range(len(lengths))))
    return lengths


def _convert(root: Path, samples: int, corpus: Path, seed: int) -> list[int]:
    """Read real audio into the common format; what cannot be read is left out."""
    import soundfile
    import torch
    from torchaudio.functional import resample

    found = sorted(path for path in corpus.rglob("*") if path.suffix.lower() in _AUDIO)
    np.random.default_rng(seed).shuffle(found)  # type: ignore[arg-type]
    paths = _paths(root, len(found))
    lengths: list[int] = []
    for path in found:
        try:
            wave_in, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            continue
        mono = resample(torch.from_numpy(wave_in.mean(1)), rate, RATE).numpy()
        if len(mono) < RATE // 2:
            continue
        write_wav(paths[len(lengths)], (mono.clip(-1, 1) * 32_767).astype(np.int16))
        lengths.append(len(mono))
        if sum(lengths) >= samples:
            break
    if not lengths:
        raise SystemExit(f"{corpus}: no audio that soundfile can read; pass another --corpus")
    return lengths


def _paths(root: Path, count: int) -> list[Path]:
    folders = [root / name for name in CLASSES]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return [folders[i % len(folders)] / f"{i:06d}.wav" for i in range(count)]
