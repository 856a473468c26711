"""What do batch-mates do to a clip's vectors?

Against: the same clip in a batch of its own. Clips from one frame (25 ms) to six seconds share
one padded batch, so nearly all of the shortest one's row is padding. The bounds that
`gensr extract --verify` holds vectors to follow from these numbers: `BOUNDS`, by dtype.

    python benchmarks/batch_mates.py
    python benchmarks/batch_mates.py --encoder whisper-base --dtypes float32,float16,bfloat16
    python benchmarks/batch_mates.py --device cuda
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from extraction_parts.clips import RATE, speech_like
from extraction_parts.weights import save_encoder
from extraction_parts.work import work_folder
from numpy.typing import NDArray

from gensr.features.encoders import BOUNDS, Encoder, load_encoder

MODELS = (
    "hubert base",
    "hubert large",
    "wav2vec2 base",
    "wav2vec2 large",
    "wavlm base",
    "wavlm large",
    "data2vec-audio base",
)
SECONDS = (0.025, 0.045, 0.1, 0.3, 0.5, 1.0, 2.0, 4.0, 6.0)
"""Lengths of the clips."""
_SHORT = 0.5
"""Clips of this many seconds and more have a column of their own."""


def clips(seed: int) -> list[NDArray[np.float32]]:
    """One clip of each length, (n,) at 16 kHz."""
    found = []
    for i, seconds in enumerate(SECONDS):
        spoken = speech_like(max(seconds, 1.0), seed=100 * seed + i)
        found.append(spoken[: round(seconds * RATE)].astype(np.float32) / 2**15)
    return found


def errors(encoder: Encoder, batches: int) -> NDArray[np.float64]:
    """|batched - alone| / |alone|; (batches, clips, layers)."""
    found = []
    for seed in range(batches):
        batch = clips(seed)
        alone = np.concatenate([encoder.encode([clip]) for clip in batch]).astype(np.float64)
        distance = np.linalg.norm(encoder.encode(batch) - alone, axis=-1)
        found.append(distance / np.linalg.norm(alone, axis=-1))
    return np.array(found)


def row(name: str, dtype: str, error: NDArray[np.float64]) -> str:
    """A line of the table."""
    longer = error[:, np.array(SECONDS) >= _SHORT]
    cells = [np.median(error), longer.max(), error.max(), BOUNDS[dtype]]
    return f"| {name} | {dtype} | {' | '.join(f'{cell:.1e}' for cell in cells)} |"


def folders(asked: argparse.Namespace, work: Path) -> Iterator[tuple[str, Path]]:
    """Name and folder of each encoder; those of random weights are made when their turn comes."""
    if asked.encoder is not None:
        yield asked.encoder.name, asked.encoder
        return
    for model in asked.models.split(","):
        family, size = model.split()
        folder = work / f"{family}-{size}-random"
        save_encoder(folder, size, family)
        yield model, folder


def main(asked: argparse.Namespace, work: Path, dtypes: Sequence[str]) -> None:
    """Print the table, a row when it is there."""
    print(f"| encoder | dtype | median | largest, {_SHORT} s and more | largest | bound |")
    print("|---" * 6 + "|", flush=True)
    for name, folder in folders(asked, work):
        for dtype in dtypes:
            encoder = load_encoder(str(folder), device=asked.device, dtype=dtype)
            print(row(name, dtype, errors(encoder, asked.batches)), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--encoder", type=Path, help="a folder in Hugging Face layout, instead of --models")
    add("--models", default=",".join(MODELS), help="family and size, with random weights")
    add("--dtypes", default=",".join(BOUNDS), help="separated by commas")
    add("--device", default="cpu")
    add("--batches", type=int, default=2, help="batches of nine clips for each row")
    add("--work", type=Path, help="folder to keep weights in; default: none kept")
    given = parser.parse_args()
    with work_folder(given.work) as work:
        main(given, work, given.dtypes.split(","))
