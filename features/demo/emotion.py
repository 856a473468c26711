"""How an emotion changes the voice of the demo corpus: prosody and voice quality by rule.

Each emotion is a shift away from the speaker's own manner. Signs and relative sizes follow the
published acoustic correlates of vocal emotion; the numbers are ours, since reports differ in
units and in the speech they measured:

- Murray & Arnott (1993), JASA 93: table of rate, F0 mean and range, intensity, voice quality;
- Banse & Scherer (1996), J. Pers. Soc. Psychol. 70: portrayals by actors, and how much the
  strength of an emotion changes its voice (hot and cold anger, panic and anxiety, ...);
- Juslin & Laukka (2003), Psychol. Bull. 129: the review of 104 studies (F0, its variability and
  contour, intensity, high-frequency energy, rate, pauses, precision, F1, regularity);
- Scherer (2003), Speech Communication 40: the same, weighed; disgust has the least certain voice;
- Tartter (1980), Percept. Psychophys. 27: a smile shortens the tract and raises the formants;
- Pell et al. (2009), J. Phonetics 37: surprise has the highest F0 and a wide range;
- Eyben et al. (2016), GeMAPS, IEEE Trans. Affect. Comput. 7: which measures carry emotion, the
  ones this module steers.

What makes the task hard is what makes it hard in life (`SPREAD`, `HABITS`): each reading
varies, speakers differ in every cue that emotions use, and an emotion may be barely expressed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gensr.features.demo.voice import FRAMES_PER_SECOND, PHONES, Array, Segment, Voice, frames


class Manner(NamedTuple):
    """A manner of speaking, as shifts from the middle of all speakers; all 0 is that middle."""

    pitch: float = 0.0
    """Mean F0, semitones."""
    span: float = 0.0
    """Size of the F0 excursions, natural log of a factor."""
    final: float = 0.0
    """Where F0 goes at the end of the sentence, semitones."""
    energy: float = 0.0
    """Level, dB."""
    rate: float = 0.0
    """Speed, natural log of a factor."""
    pause: float = 0.0
    """Expected number of pauses in the sentence, beyond the usual."""
    tilt: float = 0.0
    """Spectral tilt of the source, dB at 3 kHz; more is darker."""
    breath: float = 0.0
    """Aspiration relative to voicing."""
    jitter: float = 0.0
    """Irregularity of the period, relative."""
    shimmer: float = 0.0
    """Irregularity of the amplitude, dB."""
    tremor: float = 0.0
    """Depth of tremor, relative to F0."""
    precision: float = 0.0
    """Of articulation."""
    jaw: float = 0.0
    """F1, natural log of a factor."""
    smile: float = 0.0
    """All formants, natural log of a factor."""

    def plus(self, other: "Manner", weight: float = 1.0) -> "Manner":
        """This manner shifted by `weight` times another."""
        return Manner(*(a + weight * b for a, b in zip(self, other, strict=True)))

    def draw(self, rng: np.random.Generator) -> "Manner":
        """A random shift with these standard deviations, cut at 2.5 of them."""
        return Manner(*(np.array(self) * rng.standard_normal(len(self)).clip(-2.5, 2.5)).tolist())


# fmt: off
PROFILES: Mapping[str, Manner] = MappingProxyType({
    "anger": Manner(
        pitch=4.0, span=0.45, final=-2.0, energy=8.0, rate=0.12, pause=-0.2, tilt=-7.0,
        breath=-0.05, jitter=0.008, shimmer=0.5, precision=0.15, jaw=0.12, smile=-0.01),
    "disgust": Manner(
        pitch=-2.0, span=0.10, final=-3.0, energy=-1.0, rate=-0.20, pause=0.4, tilt=2.0,
        breath=0.02, jitter=0.016, shimmer=1.0, precision=0.05, jaw=0.04, smile=-0.05),
    "fear": Manner(
        pitch=6.0, span=-0.35, final=1.0, energy=1.0, rate=0.22, pause=0.5, tilt=1.0,
        breath=0.16, jitter=0.012, shimmer=0.8, tremor=0.03, precision=-0.12, jaw=-0.06),
    "happiness": Manner(
        pitch=4.5, span=0.50, final=2.0, energy=5.0, rate=0.09, tilt=-3.0,
        breath=0.02, jitter=-0.003, precision=0.05, jaw=0.05, smile=0.06),
    "neutral": Manner(),
    "sadness": Manner(
        pitch=-2.0, span=-0.60, final=-2.0, energy=-6.0, rate=-0.22, pause=0.8, tilt=6.0,
        breath=0.10, jitter=0.004, shimmer=0.3, tremor=0.004, precision=-0.20, jaw=-0.05),
    "surprise": Manner(
        pitch=7.0, span=0.60, final=7.0, energy=3.0, rate=-0.02, tilt=-1.0,
        breath=0.08, precision=0.05, jaw=0.08, smile=0.02),
})
"""Each emotion in full, as a shift from neutral."""

HABITS = Manner(
    pitch=0.8, span=0.15, final=0.6, energy=1.2, rate=0.06, pause=0.15, tilt=1.8,
    breath=0.035, jitter=0.003, shimmer=0.2, tremor=0.002, precision=0.05, jaw=0.025, smile=0.01)
"""Standard deviations between speakers, in the same cues that emotions use."""

SPREAD = Manner(
    pitch=0.9, span=0.20, final=1.5, energy=1.4, rate=0.06, pause=0.2, tilt=1.4,
    breath=0.025, jitter=0.003, shimmer=0.2, tremor=0.002, precision=0.05, jaw=0.02, smile=0.012)
"""Standard deviations between the readings of one speaker in one emotion."""
# fmt: on

EMOTIONS = tuple(PROFILES)

REST = Segment(0.03, (500.0, 1500.0, 2500.0))
"""Silence, the mouth at rest: about the sentence, and in its pauses."""

SECONDS_OF_SPEECH = (1.0, 2.15)
"""Shortest and longest sentence; with the silence around it a clip has 1.2 to 2.5 s."""


def manner_of(emotion: str, intensity: float, habits: Manner, rng: np.random.Generator) -> Manner:
    """The manner of one reading: habits, `intensity` times the profile, and a free variation."""
    return habits.plus(PROFILES[emotion], intensity).plus(SPREAD.draw(rng))


def voice_of(manner: Manner, tract: float) -> Voice:
    """Set larynx and tract (factor on the formants) to a manner, within what a body can do."""
    tilt = float(np.clip(10 + manner.tilt, 1, 26))
    return Voice(
        # A pressed voice is bright and closes early, a lax one dark (Klatt & Klatt 1990).
        open_quotient=float(np.clip(0.60 + 0.015 * manner.tilt + 0.6 * manner.breath, 0.35, 0.85)),
        tilt=tilt,
        breath=float(np.clip(0.10 + manner.breath, 0.01, 0.45)),
        jitter=float(np.clip(0.008 + manner.jitter, 0.002, 0.05)),
        shimmer=float(np.clip(0.5 + manner.shimmer, 0.1, 2.5)),
        tremor=float(np.clip(0.004 + manner.tremor, 0, 0.06)),
        tract=tract * float(np.exp(manner.smile)),
        jaw=float(np.exp(manner.jaw)),
        precision=float(np.clip(0.85 + manner.precision, 0.5, 1.1)),
    )


def time_sentence(
    words: Sequence[Sequence[str]], manner: Manner, rng: np.random.Generator
) -> tuple[list[Segment], list[float]]:
    """Give each phone its duration.

    Args:
        words: Phones by word; a stressed vowel ends in "1".
        manner: Rate and pauses.
        rng: Draws the pauses and the unevenness of the tempo.

    Returns:
        The segments with final durations, and the times in seconds of the stressed vowels.
    """
    segments = [REST]
    stressed: list[int] = []
    gaps = max(len(words) - 1, 1)
    for index, word in enumerate(words):
        if index and rng.uniform() < np.clip(0.1 + manner.pause, 0, 2) / gaps:
            segments.append(REST._replace(seconds=float(rng.uniform(0.08, 0.25))))
        for phone in word:
            is_stressed = phone.endswith("1")
            # Stress, and the lengthening before the end (Klatt 1976, JASA 59).
            stretch = (1.35 if is_stressed else 0.9) * (1.2 if index == gaps else 1.0)
            stretch *= float(np.exp(0.08 * rng.standard_normal() - manner.rate))
            # Unstressed syllables are 2 dB weaker, and the breath runs low: 3 dB by the end.
            loud = (1.0 if is_stressed else 0.8) * (1 - 0.3 * index / gaps)
            if is_stressed:
                stressed.append(len(segments))
            segments += [
                part._replace(seconds=part.seconds * stretch, voice=part.voice * loud)
                for part in PHONES[phone.rstrip("1")]
            ]
    segments.append(REST)
    total = sum(segment.seconds for segment in segments)
    fit = float(np.clip(total, *SECONDS_OF_SPEECH)) / total
    segments = [segment._replace(seconds=segment.seconds * fit) for segment in segments]
    starts = np.cumsum([0, *(frames(segment) for segment in segments)]) / FRAMES_PER_SECOND
    return segments, [float(starts[at]) for at in stressed]


def melody(
    total: int, stressed: Sequence[float], hz: float, manner: Manner, rng: np.random.Generator
) -> Array:
    """F0 in Hz for `total` frames: declination, an accent per stress, and the final movement.

    Args:
        total: Number of frames.
        stressed: Times in seconds of the stressed vowels.
        hz: The speaker's habitual F0.
        manner: Pitch, span and final movement.
        rng: Draws the sizes of the accents.
    """
    time = (np.arange(total) + 0.5) / FRAMES_PER_SECOND
    span = float(np.exp(manner.span))
    semitones = manner.pitch + span * (1.0 - 2.0 * time / time[-1])
    for start in stressed:
        height = 3.0 * span * rng.uniform(0.6, 1.4)
        distance = np.abs(time - start - 0.07).clip(max=0.16) / 0.16  # peak 70 ms into the vowel
        semitones += height * 0.5 * (1 + np.cos(np.pi * distance))
    semitones += manner.final * ((time - time[-1] + 0.35) / 0.35).clip(min=0)  # the last 350 ms
    f0: Array = hz * 2 ** (semitones / 12)
    return f0.clip(60, 550)
