"""Does an extraction's memory grow with its corpus? Peak RSS against the number of clips.

Against: the same extraction of a hundredth of the clips. The encoder is a stub of the paper's
shape (25 layers of width 1024 would be 100 KiB a clip: vectors that stayed in memory would
show), the clips are distinct noise of 50 ms, and every size runs in a process of its own.

    python benchmarks/memory.py --clips 1000,100000
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np

from gensr.features.encoders import Encoder
from gensr.pipeline.extraction.extract import ExtractConfig, extract

LABELS = (
    *("anger", "boredom", "calm", "contempt", "disgust"),
    *("fear", "happiness", "neutral", "sadness", "surprise"),
)
"""The folders: as emotions they are the classes, and the folders in them none."""
SAMPLES = 800


class Stub(Encoder):
    """One number a clip, repeated to the size of HuBERT large."""

    name = "stub"
    layers = (*map(str, range(24)), "last")
    width = 1024
    equal_lengths = False

    def _encode(self, prepared: Any) -> Any:
        means = np.array([waveform.mean() for waveform in prepared], np.float32)
        return np.broadcast_to(means[:, None, None], (len(means), 25, 1024))

    def provenance(self) -> dict[str, Any]:
        """See `Encoder.provenance`."""
        return {"name": self.name}


def write_corpus(root: Path, clips: int) -> None:
    """Write noise under ten emotions' names, a thousand files a folder."""
    rng = np.random.default_rng(0)
    for number in range(clips):
        label = LABELS[number % len(LABELS)]
        path = root / label / f"{number // 1000:03}" / f"{number:06}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16_000, SAMPLES, "NONE", ""))
            file.writeframes(rng.integers(-9_000, 9_000, SAMPLES, dtype="<i2").tobytes())


def measure(root: Path, out: Path) -> dict[str, float]:
    """Extract in this process: seconds, and MiB of peak RSS, its own and a decoding child's."""
    began = time.perf_counter()
    report = extract(root, out, ExtractConfig(encoder="stub"), encoder=Stub())
    seconds = time.perf_counter() - began
    told = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    decoders = " ".join(told).split()
    assert decoders, "the process that is kept for the next survey is gone"
    return {
        "clips": report.clips,
        "seconds": seconds,
        "peak": _peak("self"),
        "child": max(map(_peak, decoders)),
    }


def _peak(process: str) -> float:
    """Peak RSS in MiB: what the system says of a child that has ended may be its parent's."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found.group(1)) / 1024


def main(sizes: list[int], folder: Path) -> None:
    """Print a row for each number of clips."""
    from extraction_parts.report import machine  # torch and more: not where memory is measured

    print(
        "| clips | vectors, GiB | peak memory, MiB | a decoding process, MiB |\n|---|---|---|---|"
    )
    for clips in sizes:
        corpus, store = folder / f"corpus{clips}", folder / f"{clips}.zarr"
        write_corpus(corpus, clips)
        command = [sys.executable, __file__, "--measure", str(corpus), str(store)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(answer.stdout)
        size = found["clips"] * 25 * 1024 * 4 / 2**30
        row = f"| {clips:,} | {size:.2f} | {found['peak']:.0f} | {found['child']:.0f} |"
        print(row, flush=True)
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", default="1000,100000")
    parser.add_argument("--folder", type=Path, help="for corpora and stores; default: temporary")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(*given.measure)))
    else:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            main([int(size) for size in given.clips.split(",")], Path(folder))
