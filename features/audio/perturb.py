"""Clips made worse on purpose, by a stated amount, to see how far results fall.

    noise:20dB,gain:-12dB,phone        kinds, applied from left to right

    noise:SNR     -20 to 100 dB    white Gaussian noise, SNR dB below the clip
    pink:SNR      -20 to 100 dB    the same with 3 dB less an octave, as most rooms have
    gain:LEVEL    -60 to 60 dB     louder or softer, cut at full scale as a recorder would
    clip:LEVEL    0 to 60 dB       an overdriven amplifier: cut LEVEL dB below the clip's own peak
    reverb:T60    0.05 to 5 s      a room in which sound dies by 60 dB in T60
    phone                          300 to 3400 Hz, 8 kHz, mu-law of ITU-T G.711

What each is exactly stands where it is done, in `distortions.py`. All keep the length of a clip,
so that rows, windows and batches of a perturbed store are those of the clean one: that is why
there is no change of speed. It is done to the 16 kHz mono samples, after decoding and before the
encoder; a clip's `audio_sha256` stays that of the recording.

Noise is drawn by a seed that follows from that hash, the kind, and which of its kind it is: the
same clip has the same noise in every batch, worker and run, at every level, and copies of one
recording stay copies.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError
from gensr.features.audio import distortions
from gensr.features.audio.distortions import Samples
from gensr.features.audio.errors import AudioError

_PART = re.compile(r"([a-z]+)(?::([+-]?\d{1,4}(?:\.\d{1,3})?)\s?([a-z]*))?", re.IGNORECASE)
_MOST_PARTS = 16
_FULL_SCALE = 16.0
"""A peak above which samples are no such floats as have full scale 1, but whole numbers: decoding
takes both. Mastering leaves a peak or two above 1, never 24 dB above."""
PERTURB = "perturb"
"""What it is called in the `preprocessing` of a store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to make a clip worse."""

    apply: Callable[[Samples, float, bytes], Samples]
    """From samples, the value, and a seed of 32 bytes, to as many samples."""
    unit: str = ""
    """Of the value; empty: it takes none."""
    low: float = 0.0
    """Least value, in that unit."""
    high: float = 0.0
    """Greatest."""
    absolute: bool = False
    """Whether it must know where full scale is."""


KINDS: Mapping[str, Kind] = {
    "noise": Kind(apply=distortions.white, unit="dB", low=-20, high=100),
    "pink": Kind(apply=distortions.pink, unit="dB", low=-20, high=100),
    "gain": Kind(apply=distortions.gain, unit="dB", low=-60, high=60, absolute=True),
    "clip": Kind(apply=distortions.clipped, unit="dB", low=0, high=60),
    "reverb": Kind(apply=distortions.reverberant, unit="s", low=0.05, high=5),
    "phone": Kind(apply=distortions.telephone, absolute=True),
}


@dataclass(frozen=True, slots=True)
class Perturbation:
    """What is done to every clip, in order; made by `perturbation`. Nothing, if it has no part."""

    parts: tuple[tuple[str, float], ...] = ()
    """Kinds and their values."""

    def __str__(self) -> str:
        """As it is written, in one way only: `noise:20dB,phone`."""
        return ",".join(
            f"{name}:{value:.8g}{KINDS[name].unit}" if KINDS[name].unit else name
            for name, value in self.parts
        )

    def __bool__(self) -> bool:
        return bool(self.parts)

    def provenance(self) -> dict[str, str]:
        """What a store's `preprocessing` holds of it: nothing of a clean one, as ever."""
        return {PERTURB: str(self)} if self.parts else {}

    def __call__(self, samples: NDArray[np.float32], audio_sha256: str) -> NDArray[np.float32]:
        """Perturb one clip.

        Args:
            samples: (n,) at 16 kHz, the whole clip.
            audio_sha256: of these samples; noise follows from it.

        Raises:
            AudioError: full scale is not 1 in it, and something is asked for that must know, or
                nothing is left to be heard; the message is the reason, without the path.
        """
        if not self.parts:
            return samples
        peak = float(np.abs(samples).max())
        if peak > _FULL_SCALE and (asking := [n for n, _ in self.parts if KINDS[n].absolute]):
            raise AudioError(
                f"holds a sample of {peak:.0f}, where full scale is 1, and {asking[0]} must know "
                "full scale: write the file as whole numbers, or scaled to 1"
            )
        found: Samples = samples.astype(np.float64)
        for place, (name, value) in enumerate(self.parts):
            number = [earlier for earlier, _ in self.parts[:place]].count(name)
            seed = hashlib.sha256(f"{audio_sha256} {name} {number}".encode()).digest()
            found = KINDS[name].apply(found, value, seed)
        heard = found.astype(np.float32)
        if heard.min() == heard.max():
            raise AudioError(f"is silent once it is perturbed ({self}): perturb less")
        return heard


CLEAN = Perturbation()
"""Nothing is done: clips as they are."""


def perturbation(text: str | None) -> Perturbation:
    """Read what is to be done to every clip.

    >>> str(perturbation("noise:20, gain:-12.0dB,phone"))
    'noise:20dB,gain:-12dB,phone'

    Args:
        text: kinds with their values, by commas; None is nothing.

    Raises:
        ConfigError: there is no such kind, or no such value of it.
    """
    if text is None:
        return CLEAN
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > _MOST_PARTS:
        raise ConfigError(f"perturb has {len(parts)} parts: it takes {_MOST_PARTS} at most")
    return Perturbation(tuple(_part(part) for part in parts))


def perturbation_of(preprocessing: Mapping[str, Any]) -> Perturbation:
    """What was done to the clips of a store, by its `preprocessing`.

    Raises:
        ConfigError: another version of gensr did what this one does not know.
    """
    return perturbation(preprocessing.get(PERTURB))


def _part(text: str) -> tuple[str, float]:
    found = _PART.fullmatch(text)
    name = found[1].lower() if found else text.partition(":")[0].lower()
    if name not in KINDS:
        raise ConfigError(
            f"perturb has {text!r}: no such kind; there are {', '.join(map(_shown, KINDS))}"
        )
    kind = KINDS[name]
    given = found[2] if found else None
    if not kind.unit:
        if text.lower() != name:
            raise ConfigError(f"perturb has {text!r}: {name} takes no value")
        return name, 0.0
    value = None if given is None else float(given)
    unit = found[3].lower() if found and found[3] else kind.unit.lower()
    if value is None or unit != kind.unit.lower() or not kind.low <= value <= kind.high:
        raise ConfigError(
            f"perturb has {text!r}: it must be {_shown(name)}, from {kind.low:g} to {kind.high:g} "
            f"{kind.unit}"
        )
    return name, value + 0.0  # of -0 and 0 one


def _shown(name: str) -> str:
    """A kind as it is written, with a value of the right size."""
    examples = {"noise": 20, "pink": 20, "gain": -12, "clip": 6, "reverb": 0.5}
    return f"{name}:{examples[name]:g}{KINDS[name].unit}" if name in examples else name
