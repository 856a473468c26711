"""How many seconds of audio should a batch hold, and what does the way through gensr cost?

Against: a plain loop over clips with Hugging Face's own classes, which keeps the mean of every
hidden state. On a shared machine speed drifts by tenths within minutes, so the ways take turns
on the same few clips, the first one changing each time, and a cell is the median over the turns
of a way's time over the loop's: below 1 is faster than the loop.

    python benchmarks/batch_size.py --size base
    python benchmarks/batch_size.py --size large --device cuda --batches 25,100,400 --audio 400
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from extraction_parts.clips import RATE, speech_like
from extraction_parts.report import machine
from extraction_parts.weights import SIZES, save_encoder
from extraction_parts.work import work_folder
from numpy.typing import NDArray

from gensr.features.encoders import Encoder, load_encoder

Waves = Sequence[NDArray[np.float32]]
Way = Callable[[Waves], None]
"""Encodes clips of about one length, each (n,) at 16 kHz."""
_UNEVEN = 0.1
"""How much shorter the shortest clip of an uneven column is: in large batches 5 % is padding."""


def ways_of(
    folder: Path, encoder: Encoder, device: torch.device, sizes: Sequence[float]
) -> dict[str, Way]:
    """The loop, the model alone, and gensr one by one and in batches."""
    from transformers import AutoFeatureExtractor, AutoModel

    dtype = getattr(torch, encoder.dtype)
    model = AutoModel.from_pretrained(folder, dtype=dtype).eval().to(device)
    extractor = AutoFeatureExtractor.from_pretrained(folder)

    def loop(waves: Waves) -> None:
        for wave in waves:
            values = extractor(wave, sampling_rate=RATE, return_tensors="pt").input_values
            hidden = model(values.to(device, dtype), output_hidden_states=True).hidden_states
            torch.stack([state[0].float().mean(0) for state in hidden]).cpu()

    def bare(waves: Waves) -> None:
        for wave in waves:
            model(torch.from_numpy(wave)[None].to(device, dtype)).last_hidden_state.cpu()

    def one_by_one(waves: Waves) -> None:
        for wave in waves:
            encoder.encode([wave])

    def stream(seconds: float) -> Way:
        def way(waves: Waves) -> None:
            count = max(1, round(seconds * RATE / len(waves[-1])))
            for _ in encoder.stream(waves[i : i + count] for i in range(0, len(waves), count)):
                pass

        return way

    ways: dict[str, Way] = {"loop": loop, "bare": bare, "one by one": one_by_one}
    return ways | {f"stream of {seconds:g} s": stream(seconds) for seconds in sizes}


def turns(ways: dict[str, Way], waves: Waves, repeats: int) -> dict[str, float]:
    """Each way's time over the loop's, the median over turns."""
    names = list(ways)
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-1, repeats):  # the first warms up
        spent: dict[str, float] = {}
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            ways[name](waves)
            spent[name] = time.perf_counter() - began
        if turn >= 0:
            for name in names:
                ratios[name].append(spent[name] / spent["loop"])
    return {name: median(found) for name, found in ratios.items()}


def clips(seconds: float, audio: float, *, even: bool = True) -> list[NDArray[np.float32]]:
    """Clips of one length that last `audio` seconds together, or of a few near it, in order."""
    count = max(1, round(audio / seconds))
    found = speech_like(max(1.0, count * seconds), seed=round(100 * seconds))
    n = round(seconds * RATE)
    lost = np.zeros(count) if even else np.linspace(_UNEVEN, 0.0, count) * n
    return [
        found[i * n : (i + 1) * n - round(less)].astype(np.float32) / 2**15
        for i, less in enumerate(lost.tolist())
    ]


def numbers(text: str) -> list[float]:
    """Numbers that commas separate."""
    return [float(word) for word in text.split(",") if word]


def main(asked: argparse.Namespace, work: Path) -> None:
    """Print the table."""
    folder = work / f"hubert-{asked.size}-random"
    save_encoder(folder, asked.size)
    device: Any = torch.device(asked.device)
    dtype = "bfloat16" if device.type == "cuda" else "float32"
    encoder = load_encoder(str(folder), device=asked.device, dtype=dtype)
    columns = {f"{s:g} s": clips(s, asked.audio) for s in numbers(asked.seconds)}
    for s in numbers(asked.uneven):
        columns[f"{s * (1 - _UNEVEN):g} to {s:g} s"] = clips(s, asked.audio, even=False)
    with torch.inference_mode():
        ways = ways_of(folder, encoder, device, numbers(asked.batches))
        found = [turns(ways, waves, asked.repeats) for waves in columns.values()]
    print(
        f"HuBERT {asked.size} (random weights), {dtype} on {asked.device}; time over the loop's, "
        f"medians of {asked.repeats} turns over {asked.audio:g} s of audio\n"
    )
    print(f"| clips of | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name in ways:
        print(f"| {name} | {' | '.join(f'{column[name]:.2f}' for column in found)} |")
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", choices=tuple(SIZES), default="base", help="tiny is for smoke runs")
    add("--device", default="cpu", help="cpu, cuda or cuda:N; bfloat16 on a GPU")
    add("--seconds", default="0.5,1,2,4,8", help="lengths of clips, s")
    add("--uneven", default="4", help="lengths of clips that differ by 10 %%, s; may be empty")
    add("--batches", default="1,5,20,100", help="audio in a batch, s")
    add("--audio", type=float, default=20.0, help="s of audio in a turn")
    add("--repeats", type=int, default=5, help="turns that count")
    add("--work", type=Path, help="folder to keep weights in; default: none kept")
    given = parser.parse_args()
    with work_folder(given.work) as work:
        main(given, work)
