"""What does it cost to bring a clip to 16 kHz, and is it what torchaudio gives?

Against: `torchaudio.functional.resample` in float64, the function that ours computes another way
(features/audio/resample.py says why). Both on one thread, by turns; medians.

    python benchmarks/resample.py
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from extraction_parts.report import machine
from numpy.typing import NDArray
from torchaudio.functional import resample as torchaudio_resample

from gensr.features.audio.resample import SAMPLE_RATE, resample


def by_torchaudio(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return (n,) at 16 kHz, rounded once."""
    found = torchaudio_resample(torch.from_numpy(samples.astype(np.float64)), rate, SAMPLE_RATE)
    rounded: NDArray[np.float32] = found.numpy().astype(np.float32)
    return rounded


def milliseconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def main(rates: list[int], seconds: float, repeats: int) -> None:
    """Print a row for each rate."""
    torch.set_num_threads(1)
    print(f"{seconds:g} s of noise, medians of {repeats} turns\n")
    print("| rate, Hz | ours, ms | torchaudio, ms | float32 samples that differ |")
    print("|---|---|---|---|")
    for rate in rates:
        noise = np.random.default_rng(rate).standard_normal(round(seconds * rate))
        samples = (0.1 * noise).astype(np.float32)
        differ = int((resample(samples, rate) != by_torchaudio(samples, rate)).sum())
        turns = [
            [milliseconds(lambda: way(samples, rate)) for way in (resample, by_torchaudio)]  # noqa: B023
            for _ in range(repeats)
        ]
        ours, theirs = (median(column) for column in zip(*turns, strict=True))
        print(f"| {rate} | {ours:.2f} | {theirs:.2f} | {differ} |", flush=True)
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--rates", default="8000,11025,22050,24000,32000,44100,48000,96000", help="Hz")
    add("--seconds", type=float, default=3.0, help="length of a clip")
    add("--repeats", type=int, default=15, help="turns that count")
    given = parser.parse_args()
    main([int(rate) for rate in given.rates.split(",")], given.seconds, given.repeats)
