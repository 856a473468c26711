"""The demo corpus: a small synthetic corpus of emotional speech, made on the spot, offline.

It is what `make all` runs on when no real corpus is given: a stand-in with the shape of one
(speakers, sentences, seven emotions, recordings that differ), not a claim about real speech.
Scores on it say that the machinery works; they say nothing about people.

It is meant to be hard in an honest way. Labels are never altered. Instead:

- how strongly an emotion is expressed is drawn for each clip (column `intensity`), and weak
  ones lie near neutral, as in Banse & Scherer's (1996) pairs such as hot and cold anger;
- speakers' habits overlap with the emotions' cues: one is always fast, another always breathy;
- no two readings of a sentence are alike (`SPREAD` in `demo_emotion.py`);
- each speaker has a room, a microphone, a recording level and a background noise.

A linear probe on the mean and deviation of log-mel bands, tested on speakers it has not heard,
lies well over chance and well under perfect; the tests hold it there.

All of a clip follows from (seed, speaker, emotion, sentence), so that order and interruption
change nothing: the same call gives the same bytes.
"""

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import fftconvolve, lfilter

from gensr.estimator.errors import ConfigError
from gensr.features.corpora.errors import CorpusError
from gensr.features.demo.emotion import (
    EMOTIONS,
    HABITS,
    Manner,
    manner_of,
    melody,
    time_sentence,
    voice_of,
)
from gensr.features.demo.voice import SAMPLE_RATE, Array, frames, speak

# fmt: off
SENTENCES: tuple[tuple[str, str], ...] = (
    ("the parcel is on the table", "DH AH|P AA1 R S AH L|IH Z|AA N|DH AH|T EY1 B AH L"),
    ("she will meet us in the garden", "SH IY|W IH L|M IY1 T|AH S|IH N|DH AH|G AA1 R D AH N"),
    ("we leave on the morning train", "W IY|L IY1 V|AA N|DH AH|M AO1 R N IH NG|T R EY1 N"),
    ("they moved the old piano", "DH EY|M UW1 V D|DH IY|OW1 L D|P IY AE1 N OW"),
    ("nobody knows the answer", "N OW1 B AA D IY|N OW1 Z|DH IY|AE1 N S ER"),
    ("the water is deep and cold", "DH AH|W AO1 T ER|IH Z|D IY1 P|AH N|K OW1 L D"),
    ("my sister bought a bicycle", "M AY|S IH1 S T ER|B AO1 T|AH|B AY1 S IH K AH L"),
    ("he keeps the key in a box", "HH IY|K IY1 P S|DH AH|K IY1|IH N|AH|B AA1 K S"),
    ("the window looks over the sea", "DH AH|W IH1 N D OW|L UH1 K S|OW V ER|DH AH|S IY1"),
    ("give me the number again", "G IH1 V|M IY|DH AH|N AH1 M B ER|AH G EH1 N"),
    ("all of them came by bus", "AO1 L|AH V|DH EH M|K EY1 M|B AY|B AH1 S"),
    ("there are seven days in a week", "DH EH R|AA R|S EH1 V AH N|D EY1 Z|IH N|AH|W IY1 K"),
)
"""Texts without an emotion of their own, and their phones: words apart by `|`, stress by 1."""
# fmt: on

COLUMNS = ("file", "corpus", "speaker", "gender", "emotion", "sentence", "intensity")
SETTINGS = "demo.json"
"""Claims a folder for a demo corpus, and says which one; written first, the manifest last."""
SOUND = 1
"""Raised with every change that changes the samples, so that two versions never mix."""

LEVEL_DB = -30.0
"""RMS of a neutral sentence, dB of full scale: leaves room for the loudest anger."""
PEAK = 0.95
"""No sample beyond this part of full scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoConfig:
    """How large a demo corpus, and which one."""

    speakers: int = 12
    """Half of them female, 2 to 99 (ours)."""
    sentences: int = 6
    """Sentences that every speaker says in each of the seven emotions, 1 to 12 (ours)."""
    seed: int = 0
    """Another seed gives other speakers and other readings; 0 or more."""

    def __post_init__(self) -> None:
        limits = {"speakers": (2, 99), "sentences": (1, len(SENTENCES)), "seed": (0, 2**32 - 1)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"demo corpus: {name} must be {low} to {high}, found {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A synthetic person, and the place where they were recorded."""

    name: str
    gender: str
    hz: float
    """Habitual F0, Hz."""
    tract: float
    """Factor on the formants."""
    habits: Manner
    """How this person speaks whatever the emotion."""
    drive: float
    """How much of an emotion this person lets out, a factor."""
    gain: float
    """Recording level, dB."""
    slope: float
    """Colour of the microphone: coefficient of x[n-1], from dark (+) to bright (-)."""
    room: float
    """Reverberation time T60, s."""
    reverb: float
    """Level of the reverberation, dB of the direct sound."""
    noise: float
    """Level of the background, dB of full scale."""
    hum: float
    """Colour of the background: pole of its filter, 0 (white) to 0.95 (rumble)."""
    room_key: tuple[int, ...]
    """Gives the room's echo, the same one for all clips of the speaker."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One clip to be made."""

    speaker: Speaker
    emotion: str
    sentence: int
    key: tuple[int, ...]

    @property
    def file(self) -> str:
        name = self.speaker.name
        return f"{name}/{name}-{self.emotion}-{self.sentence + 1:02d}.wav"


def _rng(*key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(key))


def draw_speaker(seed: int, index: int) -> Speaker:
    """Speaker number `index` of the corpus `seed`: even ones are female, odd ones male.

    F0 and tract: means of women and men (Peterson & Barney 1952; Titze 1994), with spreads
    that let the two groups come close, as they do.
    """
    rng = _rng(seed, 0, index)
    female = index % 2 == 0
    pitch = (205.0 if female else 120.0) * 2 ** (rng.normal(0, 2.0) / 12)
    return Speaker(
        name=f"{'f' if female else 'm'}{index // 2 + 1:02d}",
        gender="female" if female else "male",
        hz=float(np.clip(pitch, 80, 260)),
        tract=float((1.16 if female else 1.0) * np.exp(rng.normal(0, 0.03))),
        habits=HABITS.draw(rng),
        drive=float(rng.uniform(0.8, 1.2)),
        gain=float(rng.uniform(-3, 3)),
        slope=float(rng.uniform(-0.25, 0.25)),
        room=float(rng.uniform(0.10, 0.35)),
        reverb=float(rng.uniform(-22, -10)),
        noise=float(rng.uniform(-68, -54)),
        hum=float(rng.uniform(0.0, 0.95)),
        room_key=(seed, 2, index),
    )


def _record(speech: Array, level: float, speaker: Speaker, rng: np.random.Generator) -> Array:
    """Put speech into the speaker's room and before their microphone, at `level` dB."""
    head, tail = (rng.uniform([0.09, 0.11], [0.15, 0.20]) * SAMPLE_RATE).astype(int)
    out = np.pad(speech * 10 ** (level / 20) / np.sqrt(np.mean(speech**2)), (head, tail))
    time = np.arange(int(speaker.room * SAMPLE_RATE)) / SAMPLE_RATE
    echo = _rng(*speaker.room_key).standard_normal(len(time)) * 10 ** (
        -3 * time / speaker.room
    )  # -60 dB at T60
    echo *= 10 ** (speaker.reverb / 20) / np.sqrt(np.sum(echo**2))
    out = out + fftconvolve(out, echo)[: len(out)]
    slope = speaker.slope + rng.normal(0, 0.04)
    out = lfilter([1 / (1 + abs(slope)), slope / (1 + abs(slope))], [1], out)
    hiss = lfilter([1], [1, -speaker.hum], rng.standard_normal(len(out)))
    hiss *= 10 ** ((speaker.noise + rng.normal(0, 1.5)) / 20) / np.sqrt(np.mean(hiss**2))
    out = out + hiss
    loudest = float(np.abs(out).max())
    return np.asarray(out * min(1.0, PEAK / loudest))


def _intensity(item: _Item) -> float:
    """How strongly the emotion of a clip is expressed: mostly middling, seldom faint or full."""
    return float(0.45 + 0.9 * _rng(*item.key, 0).beta(2, 2))


def synthesise(item: _Item) -> Array:
    """The samples of one clip, 16 kHz, within the full scale of 1."""
    speaker, rng = item.speaker, _rng(*item.key, 1)
    strength = _intensity(item) * speaker.drive
    manner = manner_of(item.emotion, strength, speaker.habits, rng)
    words = [word.split() for word in SENTENCES[item.sentence][1].split("|")]
    segments, stressed = time_sentence(words, manner, rng)
    total = sum(frames(segment) for segment in segments)
    f0 = melody(total, stressed, speaker.hz, manner, rng)
    speech = speak(segments, f0, voice_of(manner, speaker.tract), rng)
    return _record(speech, LEVEL_DB + manner.energy + speaker.gain, speaker, rng)


def _items(config: DemoConfig) -> Iterator[_Item]:
    people = [draw_speaker(config.seed, index) for index in range(config.speakers)]
    for (who, person), (e, emotion), sentence in itertools.product(
        enumerate(people), enumerate(EMOTIONS), range(config.sentences)
    ):
        yield _Item(person, emotion, sentence, (config.seed, 1, who, e, sentence))


def _row(item: _Item) -> tuple[str, ...]:
    return (
        item.file,
        "demo",
        item.speaker.name,
        item.speaker.gender,
        item.emotion,
        SENTENCES[item.sentence][0],
        f"{_intensity(item):.3f}",
    )


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none: a reader never sees half of one."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)


def _wav(samples: Array) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _claim(root: Path, config: DemoConfig) -> None:
    """Make `root` the folder of this demo corpus, or say why it cannot be."""
    wanted: dict[str, Any] = {"corpus": "gensr demo", "sound": SOUND, **asdict(config)}
    settings = root / SETTINGS
    if settings.is_file():
        try:
            found = json.loads(settings.read_text(encoding="utf-8"))
        except ValueError:
            found = "a file that is not JSON"
        if found != wanted:
            raise CorpusError(
                f"{settings}: expected the demo corpus {wanted}, found {found}; "
                "name another folder, or delete this one"
            )
        return
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise CorpusError(
            f"{root}: expected a new or empty folder, or a demo corpus (with {SETTINGS}); "
            "found something else there; name another folder"
        )
    root.mkdir(parents=True, exist_ok=True)
    _write(settings, (json.dumps(wanted, indent=1) + "\n").encode())


def write_demo_corpus(
    root: Path,
    config: DemoConfig = DemoConfig(),
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the corpus; what is there of it already is kept, so a second call does nothing.

    Args:
        root: A new or empty folder, or one that holds (part of) the same demo corpus.
        config: Size and seed.
        progress: Called as `progress(done, total)` after each clip.

    Returns:
        The number of clips in the corpus.

    Raises:
        CorpusError: `root` holds something else, or a demo corpus with other settings.
    """
    _claim(root, config)
    items = list(_items(config))
    for done, item in enumerate(items, start=1):
        path = root / item.file
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            _write(path, _wav(synthesise(item)))
        if progress is not None:
            progress(done, len(items))
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *map(_row, items)])
    manifest, content = root / "manifest.csv", table.getvalue().encode()
    if not manifest.is_file() or manifest.read_bytes() != content:
        _write(manifest, content)
    return len(items)
