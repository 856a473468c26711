"""What does reduced precision do to the vectors, and to what is learned from them?

Against: the same clips with everything in float32. Three savings are tried: the encoder in
bfloat16, the encoder in float16, and float32 averages stored as float16. The difference of a
clip's vectors stands beside the distance of clips from their mean, since all averages of one
layer share a large common part. With `--train`, models are trained on each store (the store's
own protocol, fixed seeds and steps), and the clips they answer otherwise are counted; another
seed on float32 vectors is the yardstick.

    python benchmarks/precision.py --encoder whisper-base --corpus corpora/emodb --train
    python benchmarks/precision.py --random large --clips 12
"""

import argparse
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from extraction_parts.clips import RATE, speech_like, write_wav
from extraction_parts.weights import SIZES, save_encoder
from extraction_parts.work import work_folder
from numpy.typing import NDArray

from gensr.features.corpora import scan
from gensr.features.encoders.errors import EncoderError
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.train import train

REFERENCE = "float32"
SAVINGS: dict[str, dict[str, Any]] = {
    REFERENCE: {},
    "bfloat16": {"dtype": "bfloat16"},
    "float16": {"dtype": "float16"},
    "stored as float16": {"store_dtype": "float16"},
}
MODELS = ("gen-ser", "linear")
SHORTEST, LONGEST = 2.0, 6.0
"""Lengths of synthesised clips in seconds, drawn evenly."""
_ROWS = 8
"""Layers that a table shows at most; its last row covers all of them."""

Errors = NDArray[np.float64]
"""(clips, layers), relative."""


def relative(reference: NDArray[np.float32], other: NDArray[np.float32]) -> Errors:
    """|other - reference| / |reference| of each clip and layer.

    Args:
        reference: (clips, layers, width).
        other: the same, or what broadcasts to it.

    >>> relative(np.float32([[[3, 4]]]), np.float32([[[3, 5]]]))
    array([[0.2]])
    """
    exact = reference.astype(np.float64)
    distance = np.linalg.norm(other.astype(np.float64) - exact, axis=-1)
    result: Errors = distance / np.linalg.norm(exact, axis=-1)
    return result


def spread(reference: NDArray[np.float32]) -> Errors:
    """Distance of each clip from the mean of all, relative to its own length; (clips, layers)."""
    return relative(reference, reference.mean(axis=0, keepdims=True, dtype=np.float64))


def error_table(layers: Sequence[str], columns: Mapping[str, Errors]) -> str:
    """A row a layer, evenly chosen where there are many, and one for all of them."""
    shown = np.unique(np.linspace(0, len(layers) - 1, min(_ROWS, len(layers))).round().astype(int))
    rows = [(layers[i], [errors[:, i] for errors in columns.values()]) for i in shown]
    rows.append((f"all {len(layers)}", [errors.ravel() for errors in columns.values()]))
    lines = [f"| layer | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, cells in rows:
        said = " | ".join(f"{np.median(cell):.1e} / {cell.max():.1e}" for cell in cells)
        lines.append(f"| {name} | {said} |")
    return "\n".join(lines)


def read_vectors(store: Path) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Layers, and all vectors in row order."""
    with open_store(store) as opened:
        return opened.layers, opened.vectors()


def stores_of(
    corpus: Path, folder: Path, config: Callable[[str], ExtractConfig], names: Sequence[str]
) -> tuple[dict[str, Path], dict[str, str]]:
    """Extract a corpus once a name; what is there already is kept.

    Args:
        corpus: what to encode.
        folder: where the stores go.
        config: the settings that a name stands for.
        names: in this order.

    Returns:
        The stores by name, and why others were not made.
    """
    stores: dict[str, Path] = {}
    refused: dict[str, str] = {}
    for name in names:
        store = folder / f"{name.replace(' ', '-')}.zarr"
        try:
            extract(corpus, store, config(name))
            stores[name] = store
        except (EncoderError, StoreError) as error:
            refused[name] = str(error)
    return stores, refused


@dataclass(frozen=True, slots=True)
class Answers:
    """A trained and evaluated run."""

    accuracy: float
    uar: float
    predicted: dict[str, str]
    """Class by path."""

    def other_than(self, reference: "Answers") -> int:
        """How many clips are answered otherwise."""
        return sum(self.predicted[path] != told for path, told in reference.predicted.items())


def answers_of(store: Path, folder: Path, model: str, seed: int, steps: int | None) -> Answers:
    """Train on a store by its own protocol, or go on with such a run, and score it."""
    run = folder / f"{store.stem}-{model}-{seed}"
    config = TrainConfig(model=model, seed=seed, steps=steps, device="cpu")
    report = train([store], config, folder=run, resume=(run / "config.json").is_file())
    values = evaluate(report.run, steps=()).numbers.values
    predicted = {given.path: given.predicted for given in report.run.predictions()}
    return Answers(values["accuracy"], values["uar"], predicted)


def accuracy_table(
    stores: Mapping[str, Path], folder: Path, seeds: Sequence[int], steps: int | None
) -> str:
    """A row a model, store and seed: numbers, and answers that differ from the first store's.

    The first store's other seeds are held against its first seed, all else against the first
    store at the same seed.
    """
    reference = next(iter(stores))
    lines = ["| model | vectors | seed | accuracy % | UAR % | answered otherwise |"]
    lines.append("|---" * 6 + "|")
    for model in MODELS:
        exact: dict[int, Answers] = {}
        for name, store in stores.items():
            for seed in seeds:
                found = answers_of(store, folder, model, seed, steps)
                if name == reference:
                    exact[seed] = found
                against = exact[seeds[0] if name == reference else seed]
                differs = "" if found is against else f"{found.other_than(against)}"
                if name == reference and differs:
                    differs += f" (than seed {seeds[0]})"
                lines.append(
                    f"| {model} | {name} | {seed} | {100 * found.accuracy:.1f} | "
                    f"{100 * found.uar:.1f} | {differs} |"
                )
    return "\n".join(lines)


def choose(corpus: Path, count: int | None, folder: Path) -> Path:
    """The corpus, or a copy of some of its clips, evenly chosen in path order."""
    if count is None:
        return corpus
    found = scan(corpus)
    every = [clip.path for clip in found.clips]
    for i in np.linspace(0, len(every) - 1, min(count, len(every))).round().astype(int):
        target = folder / every[i]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found.root / every[i], target)
    return folder


def synthesise(folder: Path, lengths: Sequence[float]) -> Path:
    """Write a clip of each length, in seconds, in two classes."""
    for i, seconds in enumerate(lengths):
        path = folder / f"class{i % 2}" / f"{i:03}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, speech_like(seconds, seed=i)[: round(seconds * RATE)])
    return folder


def encoder_of(asked: argparse.Namespace, work: Path) -> str:
    """The folder that was asked for, or one of random weights."""
    if asked.random is None:
        return str(asked.encoder)
    folder = work / f"hubert-{asked.random}-random"
    save_encoder(folder, asked.random)
    return str(folder)


def main(asked: argparse.Namespace, work: Path) -> None:
    """Print the tables."""
    encoder = encoder_of(asked, work)
    if asked.corpus is None:
        rng = np.random.default_rng(0)
        clips = synthesise(work / "clips", rng.uniform(SHORTEST, LONGEST, asked.clips or 12))
    else:
        clips = choose(asked.corpus, asked.clips, work / "clips")

    def config(name: str) -> ExtractConfig:
        return ExtractConfig(
            encoder=encoder,
            device=asked.device,
            context=asked.context,
            allow_slow=True,  # what is asked here is what it does, not how long it takes
            **SAVINGS[name],
        )

    savings = [name for name in asked.savings.split(",") if name]
    stores, refused = stores_of(clips, work, config, [REFERENCE, *savings])
    layers, exact = read_vectors(stores[REFERENCE])
    columns = {
        name: relative(exact, read_vectors(store)[1])
        for name, store in stores.items()
        if name != REFERENCE
    }
    print(f"{Path(encoder).name}, {len(exact)} clips; relative difference, median / largest\n")
    print(error_table(layers, {**columns, "clips from their mean": spread(exact)}))
    for name, reason in refused.items():
        print(f"\n{name} did not run: {reason}")
    if asked.train:
        print()
        seeds = [int(seed) for seed in asked.seeds.split(",")]
        print(accuracy_table(stores, work / "runs", seeds, asked.steps))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--encoder", type=Path, help="a folder in Hugging Face layout")
    source.add_argument("--random", choices=tuple(SIZES), help="HuBERT with random weights")
    add("--corpus", type=Path, help="default: synthesised clips of 2 to 6 s")
    add("--clips", type=int, help="so many, evenly chosen; default: all, or 12 synthesised")
    add("--context", default="full", help="Whisper only: full or clip")
    add("--device", default="cpu")
    add(
        "--savings",
        default=",".join(list(SAVINGS)[1:]),
        help="which, separated by commas; may be empty",
    )
    add("--train", action="store_true", help="train on each store as well; labelled corpora only")
    add("--seeds", default="0", help="of the training, separated by commas")
    add("--steps", type=int, help="of the training; default: the preset's")
    add("--work", type=Path, help="folder to keep stores and runs in; default: none kept")
    given = parser.parse_args()
    with work_folder(given.work) as work:
        main(given, work)
