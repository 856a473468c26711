"""A stub encoder and a stub corpus; run as a script, one extraction that can be killed.

python -m support.stub CORPUS OUT [SECONDS_PER_BATCH]
"""

import sys
import time
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import soundfile

from gensr.features.encoders import Encoder


class StubEncoder(Encoder):
    """Four statistics a layer; the last bits of layer_0 depend on the batch: its clips, its length.

    As real encoders' do, so that equal bytes mean equal batches. The other layers are the clip's
    own, whatever is beside it.
    """

    name = "stub"
    layers = ("layer_0", "layer_1", "x1")
    width = 4
    equal_lengths = False

    def __init__(self, *, revision: str = "r1", pause: float = 0.0, fail_at: int = -1) -> None:
        self.revision, self.pause, self.fail_at = revision, pause, fail_at
        self.batches: list[int] = []

    @property
    def clips(self) -> int:
        return sum(self.batches)

    def _encode(self, waveforms: Any) -> Any:
        if len(self.batches) == self.fail_at:
            raise RuntimeError("the stub encoder broke")
        time.sleep(self.pause)
        self.batches.append(len(waveforms))
        vectors = np.stack([self.expected(wave) for wave in waveforms])
        batch = crc32(f"{len(waveforms)} {sum(map(len, waveforms))}".encode())
        digits = np.array([batch >> shift & 15 for shift in (0, 8, 16, 24)], np.float32)
        vectors[:, 0] *= 1 + digits * np.float32(2**-22)  # at most 4e-6: within the bound
        return vectors

    def expected(self, wave: Any) -> Any:
        """What a clip gives, but for layer_0: float32 (layers, width)."""
        base = np.array([wave.mean(), wave.std(), wave.min(), wave.max()], np.float32)
        return np.stack([base * (layer + 1) for layer in range(len(self.layers))])

    def provenance(self) -> dict[str, Any]:
        return {"name": self.name, "revision": self.revision, "libraries": {"stub": "1.0"}}


def write_clip(path: Path, seed: int, seconds: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.1, round(16_000 * seconds))
    soundfile.write(path, noise.clip(-0.99, 0.99), 16_000, subtype="FLOAT")


def write_corpus(root: Path, clips: int = 20) -> Path:
    """Make a folder a class; lengths and names in different orders."""
    for number in range(clips):
        label = ("angry", "happy", "sad")[number % 3]
        write_clip(root / label / f"{number:03}.wav", seed=number, seconds=0.05 + number % 7 / 50)
    return root


def extract(
    corpus: Path, out: Path, pause: float = 0.0, perturb: str | None = None
) -> tuple[int, int, int]:
    """Extract; return how many clips were encoded, skipped, and are in the store."""
    from gensr.pipeline.extraction.extract import ExtractConfig
    from gensr.pipeline.extraction.extract import extract as stage

    report = stage(
        corpus,
        out,
        ExtractConfig(encoder="stub", shard_clips=4, batch_seconds=0.2, perturb=perturb),
        encoder=StubEncoder(pause=pause),
    )
    return report.encoded, report.skipped, report.clips


if __name__ == "__main__":
    print(*extract(Path(sys.argv[1]), Path(sys.argv[2]), float((sys.argv[3:] or ["0"])[0])))
