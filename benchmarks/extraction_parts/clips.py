"""The clips that every system hears: mono 16-bit files of one kind, in folders of classes.

16 kHz WAV unless asked otherwise: the systems differ in what they read and resample, and what that
costs is a question of its own. Made once into the work folder; the same settings find them again.
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
FORMATS = ("wav", "flac")
_SOURCE_SECONDS = 300
_AUDIO = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """A folder of clips and how much audio it holds."""

    root: str
    count: int
    samples: int
    """At 16 kHz, whatever rate the files have."""
    origin: str
    """Where the audio came from, and what the files are, for the report."""

    @property
    def seconds(self) -> float:
        """Audio in seconds."""
        return self.samples / RATE


def list_clips(root: Path) -> list[Path]:
    """Every clip, in path order."""
    return sorted(path for form in FORMATS for path in root.rglob(f"*.{form}"))


def prepare_clips(
    folder: Path,
    *,
    seconds: float,
    corpus: Path | None,
    seed: int = 0,
    rate: int = RATE,
    form: str = "wav",
) -> Clips:
    """Make the clips, or find those made before with the same settings.

    Args:
        folder: the work folder.
        seconds: audio wanted.
        corpus: real audio to take at random until there is enough; without it, synthesised.
        seed: of lengths, cuts and choice.
        rate: of the files, in Hz; of synthesised ones.
        form: one of `FORMATS`; likewise.
    """
    name = "synthetic" if corpus is None else corpus.resolve().name
    kind = "" if (rate, form) == (RATE, "wav") else f"-{rate}-{form}"
    root = folder / f"clips-{name}-{round(seconds)}s-{seed}{kind}"
    record = folder / f"{root.name}.json"
    if record.is_file():
        return Clips(**json.loads(record.read_text()))
    if corpus is None:
        lengths = _synthesise(root, round(seconds * RATE), seed, rate, form)
    else:
        lengths = _convert(root, round(seconds * RATE), corpus, seed)
    origin = f"synthesised, {rate} Hz {form.upper()}" if corpus is None else f"from {name}"
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


def speech_like(seconds: float, seed: int, rate: int = RATE) -> NDArray[np.int16]:
    """Harmonics of a wandering pitch and noise, both under syllables; (n,) at a rate in Hz."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    t = np.arange(n) / rate
    knots = np.linspace(0.0, seconds, max(2, round(seconds * 4)))
    pitch = np.interp(t, knots, rng.uniform(90.0, 260.0, len(knots)))  # Hz
    loud = np.interp(t, knots, rng.uniform(0.0, 1.0, len(knots)) ** 2)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 9))
    signal = loud * (0.6 * voice + 0.4 * rng.standard_normal(n)) + 1e-3 * rng.standard_normal(n)
    return (signal / np.abs(signal).max() * 30_000).astype(np.int16)


def _synthesise(root: Path, samples: int, seed: int, rate: int, form: str) -> list[int]:
    """Cut clips out of one long signal, each from a place of its own so that none repeats."""
    import soundfile

    lengths = draw_lengths(samples, seed)
    source = speech_like(_SOURCE_SECONDS, seed, rate)
    rooms = len(source) - round(LONGEST * rate)
    starts = np.random.default_rng(seed + 1).choice(rooms, len(lengths), replace=False)
    paths = _paths(root, len(lengths), form)

    def write(i: int) -> None:
        clip = source[starts[i] : starts[i] + lengths[i] * rate // RATE]
        soundfile.write(paths[i], clip, rate, subtype="PCM_16")

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


def _paths(root: Path, count: int, form: str = "wav") -> list[Path]:
    folders = [root / name for name in CLASSES]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return [folders[i % len(folders)] / f"{i:06d}.{form}" for i in range(count)]
