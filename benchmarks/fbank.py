"""What does the way through gensr cost where the encoder is cheap, and does it use the cores?

Against: a plain loop over the same files on one core: soundfile, torchaudio's Kaldi bands, the same
statistics by torchaudio and numpy, one array saved at the end. gensr hears every file once before,
checks that it is one stream and whole, hashes it twice, and writes a store with checksums. Both run
in one process that has started, by turns, first held to one core, then with all. Processor time
counts what all cores have worked for it: on a machine that others use too, the steadier number.

    python benchmarks/fbank.py --minutes 15
"""

import argparse
import os
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeAlias

import numpy as np
import soundfile
import torch
from extraction_parts.clips import list_clips, prepare_clips
from extraction_parts.report import machine
from extraction_parts.work import work_folder
from torchaudio.compliance import kaldi
from torchaudio.functional import compute_deltas

from gensr.features.hearing.decoders import shared_decoders
from gensr.pipeline.extraction.extract import ExtractConfig, extract

Spent: TypeAlias = tuple[float, float]
"""Seconds by the clock, and of cores."""


def statistics(bands: torch.Tensor) -> np.ndarray:
    """(F, 80) -> (11, 80), as a script would."""

    def slope(x: torch.Tensor) -> torch.Tensor:
        return compute_deltas(x.T.unsqueeze(0), win_length=5).squeeze(0).T

    loudness, delta = bands.mean(dim=1), slope(bands)
    rows = [
        bands.std(dim=0, correction=0),
        bands.diff(dim=0).abs().mean(dim=0),
        delta.std(dim=0, correction=0),
        slope(delta).std(dim=0, correction=0),
        *torch.from_numpy(np.percentile(bands.numpy(), (10, 25, 50, 75, 90), axis=0)),
        bands[loudness >= loudness.median()].mean(dim=0),
        bands.mean(dim=0),
    ]
    return np.stack([row.numpy().astype(np.float32) for row in rows])


def loop(root: Path, out: Path) -> None:
    """The plain way."""
    found = []
    with torch.inference_mode():
        for path in list_clips(root):
            samples, _ = soundfile.read(path, dtype="float32")
            wave = torch.from_numpy(samples)[None] * 32_768
            bands = kaldi.fbank(wave, num_mel_bins=80, dither=0.0, sample_frequency=16_000.0)
            found.append(statistics(bands.clamp_min(0.0)))
    np.save(out, np.stack(found))


def ours(root: Path, out: Path) -> None:
    """The way through gensr."""
    shutil.rmtree(out, ignore_errors=True)
    extract(root, out, ExtractConfig(encoder="fbank"))


def processor() -> float:
    """Seconds that cores have worked for this process, and for those that it has ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def turns(ways: dict[str, Callable[[], None]], repeats: int) -> dict[str, list[Spent]]:
    """What each way takes; the first turn warms up. Decoders start within it, and end behind it."""
    found: dict[str, list[Spent]] = {name: [] for name in ways}
    for turn in range(-1, repeats):
        for name in list(ways)[:: 1 if turn % 2 else -1]:
            worked, began = processor(), time.perf_counter()
            ways[name]()
            took = time.perf_counter() - began
            shared_decoders().close()
            if turn >= 0:
                found[name].append((took, processor() - worked))
    return found


def measured(root: Path, work: Path, cores: set[int], repeats: int) -> dict[str, list[Spent]]:
    """Both ways on these cores, the loop always on one thread."""
    os.sched_setaffinity(0, cores)

    def plain() -> None:
        torch.set_num_threads(1)
        loop(root, work / "loop.npy")
        torch.set_num_threads(len(cores))

    return turns({"loop": plain, "gensr": lambda: ours(root, work / "fbank.zarr")}, repeats)


def main(asked: argparse.Namespace, work: Path) -> None:
    """Print the table."""
    clips = prepare_clips(work, seconds=asked.minutes * 60, corpus=asked.corpus)
    root, every = Path(clips.root), os.sched_getaffinity(0)
    held = f"{clips.count} clips, {clips.seconds / 60:.1f} min, {clips.origin}"
    print(f"{held}; {asked.repeats} turns\n")
    print("| cores, what is counted | loop s | gensr s | gensr over loop (least to most) |")
    print("|---|---|---|---|")
    for cores in ({min(every)}, every):
        found = measured(root, work, cores, asked.repeats)
        for kind, what in enumerate(("time", "processor time")):
            ours, plain = ([spent[kind] for spent in found[name]] for name in ("gensr", "loop"))
            ratios = [a / b for a, b in zip(ours, plain, strict=True)]
            print(
                f"| {len(cores)}, {what} | {median(plain):.2f} | {median(ours):.2f} | "
                f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"
            )
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="audio")
    parser.add_argument("--corpus", type=Path, help="real audio; default: synthesised")
    parser.add_argument("--repeats", type=int, default=5, help="turns that count")
    parser.add_argument("--work", type=Path, help="folder to keep clips in; default: none kept")
    given = parser.parse_args()
    with work_folder(given.work) as work:
        main(given, work)
