"""What `gensr lint` finds of copies, and what it takes for one: both error rates.

    python benchmarks/near.py CORPUS [--clips N] [--out near.json]

Every clip is heard, and copies of N of them are made: MP3 and OGG at the lowest quality that
libsndfile has, 6 dB louder and quieter, 100 ms cut off at either end, at an odd number of samples,
and several at once. Speakers are parted in two halves by the order of their names. On the first
half the threshold is chosen: the middle between the copy that is worse than 98 of 100 and the
best match of two recordings. On the other half, and there alone, the thresholds that gensr ships
with are told: copies missed, and pairs of different recordings that are taken for copies.

Recordings that are equal sample for sample (RAVDESS has two) count once.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.corpora import scan
from gensr.features.hearing.decode import read_audio
from gensr.features.hearing.fingerprint import Fingerprint, fingerprint
from gensr.pipeline.lint.near import COVERED, MOST_ERRORS, candidates, compared

Wave = NDArray[np.float32]
_CUT = SAMPLE_RATE // 10
_NOTHING = 1.0


def _coded(form: str, subtype: str, level: float) -> Callable[[Wave], Wave]:
    """Encode, and decode again; `level` is libsndfile's, 1 the least quality."""

    def code(wave: Wave) -> Wave:
        held = io.BytesIO()
        with soundfile.SoundFile(
            held, "w", SAMPLE_RATE, 1, format=form, subtype=subtype, compression_level=level
        ) as file:
            file.write(wave)
        held.seek(0)
        samples: Wave = soundfile.read(held, dtype="float32")[0]
        return samples

    return code


_MP3, _OGG = _coded("MP3", "MPEG_LAYER_III", 0.99), _coded("OGG", "VORBIS", 0.99)
COPIES: dict[str, Callable[[Wave], Wave]] = {
    "MP3, level 0.8 of 1": _coded("MP3", "MPEG_LAYER_III", 0.8),
    "MP3, lowest quality": _MP3,
    "OGG, lowest quality": _OGG,
    "+6 dB": lambda wave: np.clip(2 * wave, -1, 1),
    "-6 dB": lambda wave: wave / 2,
    "100 ms off the start": lambda wave: wave[_CUT:],
    "100 ms off the end": lambda wave: wave[:-_CUT],
    "105 ms (1677 samples) off the start": lambda wave: wave[1677:],
    "MP3 of -6 dB, 105 ms off": lambda wave: _MP3(wave[1677:] / 2),
    "OGG of -6 dB, 105 ms off": lambda wave: _OGG(wave[1677:] / 2),
}


def _errors(prints: Sequence[Fingerprint]) -> dict[tuple[int, int], float]:
    """The least share of bits that differ, of every pair that is looked at."""
    found: dict[tuple[int, int], float] = {}
    for a, b, lag in candidates(prints):
        near = (compared(prints[a], prints[b], lag + d, COVERED) for d in (-1, 0, 1))
        found[a, b] = min(near)
    return found


def measure(waves: Sequence[Wave], clips: int) -> dict[str, Any]:
    """Errors of copies, by kind, and of different recordings, of one half of the speakers."""
    began = time.perf_counter()
    prints = [fingerprint(wave) for wave in waves]
    printed = time.perf_counter() - began
    began = time.perf_counter()
    apart = sorted(_errors(prints).values())
    matched = time.perf_counter() - began
    chosen = np.linspace(0, len(waves) - 1, min(clips, len(waves))).astype(int).tolist()
    copies = {}
    for name, change in COPIES.items():
        changed = [fingerprint(change(waves[number])) for number in chosen]
        found = _errors([*prints, *changed])
        pairs = [(number, len(prints) + k) for k, number in enumerate(chosen)]
        copies[name] = [found.get(pair, _NOTHING) for pair in pairs]
    return {
        "recordings": len(waves),
        "pairs": len(waves) * (len(waves) - 1) // 2,
        "apart": apart,
        "copies": copies,
        "fingerprint_s": printed,
        "match_s": matched,
    }


def _threshold(half: dict[str, Any]) -> tuple[float, float]:
    """The copy that is worse than 98 of 100, and the best match of two recordings."""
    errors = [error for kind in half["copies"].values() for error in kind]
    return float(np.quantile(errors, 0.98)), min([*half["apart"], 0.5])


def _heard(corpus: Path) -> tuple[list[Wave], list[Wave]]:
    """Distinct recordings, of either half of the speakers."""
    found = scan(corpus)
    speakers = sorted({clip.speaker for clip in found.clips})
    seen: set[str] = set()
    halves: tuple[list[Wave], list[Wave]] = ([], [])
    for clip in found.clips:
        wave = read_audio(found.root / clip.path)
        if wave.sha256 not in seen:
            seen.add(wave.sha256)
            halves[speakers.index(clip.speaker) % 2].append(wave.samples)
    return halves


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--clips", type=int, default=100, help="copied, of each half")
    parser.add_argument("--out", type=Path, help="keep every error as JSON")
    asked = parser.parse_args()
    first, second = (measure(waves, asked.clips) for waves in _heard(asked.corpus))
    worst, best = _threshold(first)
    told = second
    print(
        f"{asked.corpus.name}: chosen on one half of the speakers ({first['recordings']} "
        f"recordings): 98 % of copies differ in under {worst:.3f} of their bits, all recordings in "
        f"at least {best:.3f}; the middle is {(worst + best) / 2:.2f}, gensr takes {MOST_ERRORS}\n"
    )
    print(f"| the other half ({told['recordings']} recordings) | tried | missed | median | worst |")
    print("|---|---|---|---|---|")
    for name, errors in told["copies"].items():
        missed = sum(error > MOST_ERRORS for error in errors)
        found = [error for error in errors if error < 1]
        print(f"| {name} | {len(errors)} | {missed} | {np.median(errors):.3f} | {max(found):.3f} |")
    alarms = sum(error <= MOST_ERRORS for error in told["apart"])
    print(
        f"\nDifferent recordings: {told['pairs']} pairs, {len(told['apart'])} looked at, {alarms} "
        f"taken for copies; the most alike differ in {min([*told['apart'], 1.0]):.3f} of their "
        f"bits.\nFingerprints {1000 * told['fingerprint_s'] / told['recordings']:.0f} ms a clip, "
        f"matching {told['match_s']:.1f} s."
    )
    if asked.out:
        asked.out.write_text(json.dumps({"first": first, "second": second}))


if __name__ == "__main__":
    main()
