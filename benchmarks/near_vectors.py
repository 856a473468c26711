"""Do stored vectors tell a copy of a recording from a second take of it?

    python benchmarks/near_vectors.py CORPUS STORE --encoder NAME [--clips N]

Against: `benchmarks/near.py`, which listens. Copies of N clips of a corpus are encoded by the
encoder that made STORE, and the cosine between a copy's x1 and its original's, both standardised
over the store, is held against that of the most alike pair of different recordings. The threshold
is that pair's cosine on one half of the speakers; copies missed by it are told of the other half.
"""

import argparse
import csv
import tempfile
from pathlib import Path
from typing import Any

import near
import numpy as np
import soundfile
from numpy.typing import NDArray

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.hearing.decode import read_audio
from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import ExtractConfig, extract

KINDS = ("OGG, lowest quality", "-6 dB", "100 ms off the start")


def _x1(path: Path) -> tuple[NDArray[np.float64], dict[str, list[str]], dict[str, Any]]:
    with open_store(path) as store:
        x1 = store.vectors(layers=store.layers[-1:])[:, 0].astype(np.float64)
        table = {name: [*map(str, values.tolist())] for name, values in store.table.items()}
        return x1, table, dict(store.header.encoder)


def _copies(corpus: Path, paths: list[str], out: Path) -> None:
    """Write the copies, and a manifest that says of what and how they are."""
    rows = []
    for number, path in enumerate(paths):
        wave = read_audio(corpus / path).samples
        for kind in KINDS:
            name = f"{number}-{KINDS.index(kind)}.wav"
            copy = near.COPIES[kind](wave)
            soundfile.write(out / name, copy, SAMPLE_RATE, subtype="FLOAT")
            rows.append({"file": name, "emotion": kind, "original": path})
    with (out / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def _unit(x1: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = (x1 - like.mean(0)) / (like.std(0) + 1e-9)
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def _most_alike(x1: NDArray[np.float64], audio: list[str]) -> float:
    """The largest cosine of two recordings that are not equal sample for sample."""
    cosine = x1 @ x1.T
    _, same = np.unique(audio, return_inverse=True)
    cosine[same[:, None] == same] = -1.0
    return float(cosine.max())


def main() -> None:
    """Encode the copies, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--clips", type=int, default=40)
    asked = parser.parse_args()
    x1, table, encoder = _x1(asked.store)
    chosen = np.linspace(0, len(x1) - 1, min(asked.clips, len(x1))).astype(int)
    paths = table["path"]
    with tempfile.TemporaryDirectory() as work:
        copies = Path(work) / "copies"
        copies.mkdir()
        _copies(asked.corpus, [paths[row] for row in chosen], copies)
        settings = ExtractConfig(encoder=asked.encoder, context=str(encoder["context"]))
        extract(copies, Path(work) / "copies.zarr", settings)
        copied, about, _ = _x1(Path(work) / "copies.zarr")
    one, other = _unit(x1, x1), _unit(copied, x1)
    speakers = sorted(set(table["speaker"]))
    half = np.array([speakers.index(name) % 2 for name in table["speaker"]])
    first = np.flatnonzero(half == 0)
    most = _most_alike(one[first], [table["audio_sha256"][row] for row in first])
    print(f"most alike of different recordings, first half: {most:.3f}\n")
    print("| copy | of the other half | missed | least | median |\n|---|---|---|---|---|")
    of = [paths.index(path) for path in about["original"]]
    for kind in KINDS:
        mine = [
            float(other[k] @ one[row])
            for k, row in enumerate(of)
            if about["emotion"][k] == kind and half[row] == 1
        ]
        missed = sum(cosine <= most for cosine in mine)
        print(f"| {kind} | {len(mine)} | {missed} | {min(mine):.3f} | {np.median(mine):.3f} |")


if __name__ == "__main__":
    main()
