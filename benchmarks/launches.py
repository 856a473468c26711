"""Is a fast GPU bound by its host, and from which batch on is it not?

A forward is some hundred kernels that the host launches one by one. No GPU is needed to ask:
launches are counted where nothing is computed (torch's `meta` device), what they cost the host is
timed on a model of the same depth that is too narrow to compute anything, and the work is counted
in FLOP. Then the batches of a whole corpus are planned, by size of shard and of batch, and host and
GPU added up. Against: a GPU that is through with its FLOP at a given speed. The last rows pad all
shapes to a few, as CUDA graphs would want them.

    python benchmarks/launches.py
    python benchmarks/launches.py --tflops 400 --hours 10
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from extraction_parts.clips import RATE, draw_lengths
from extraction_parts.report import machine
from extraction_parts.weights import SIZES, save_encoder
from extraction_parts.work import work_folder
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from gensr.features.encoders import Encoder, load_encoder
from gensr.features.encoding.windows import Batching

META = torch.device("meta")
PLANS = ((256, 100.0), (256, 800.0), (2048, 100.0), (2048, 400.0), (2048, 800.0))
"""Clips of a shard, seconds of a batch."""
BUCKET_FRAMES, BUCKET_CLIPS = 16, 8
"""What shapes are rounded up to, where few of them are wanted."""
_LEAST_CLIP = 4_000
"""Samples of the narrow model's clip."""


class Launches(TorchDispatchMode):
    """Counts operations that are work: no views, no empty room."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        self.count += not (function.is_view or "empty" in str(function))
        return result


def narrow(folder: Path, size: str) -> Encoder:
    """An encoder of the same depth, as narrow as can be."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model("hubert", **{**SIZES[size], "hidden_size": 16})
    config.num_attention_heads, config.intermediate_size = 2, 16
    config.conv_dim, config.num_conv_pos_embedding_groups = [16] * 7, 2
    if not folder.is_dir():
        AutoModel.from_config(config).save_pretrained(folder)
    return load_encoder(str(folder), device="cpu")


def batch_of(encoder: Encoder, lengths: Iterable[int]) -> Any:
    """A batch of noise that the host has prepared."""
    rng = np.random.default_rng(0)
    return encoder._prepare([rng.normal(0, 0.1, n).astype(np.float32) for n in lengths])


def counted(encoder: Any, lengths: Sequence[int]) -> tuple[int, float]:
    """Launches, and FLOP, of a forward of clips of these lengths."""
    prepared = batch_of(encoder, lengths)
    with Launches() as launches:
        encoder._encode(prepared)
    with FlopCounterMode(display=False) as flops:
        encoder._encode(prepared)
    return launches.count, float(flops.get_total_flops())


def host_seconds(encoder: Any, repeats: int) -> float:
    """Processor time of a forward in which nothing is worth computing."""
    prepared = batch_of(encoder, (_LEAST_CLIP, _LEAST_CLIP - 320))
    spent = []
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(repeats):
        began = time.thread_time()
        encoder._encode(prepared)
        spent.append(time.thread_time() - began)
    torch.set_num_threads(before)
    return median(spent)


def batches(lengths: Sequence[int], shard: int, seconds: float) -> list[tuple[int, int, int]]:
    """(Clips, longest, samples without padding) of every batch of a corpus."""
    batching = Batching(batch_samples=round(seconds * RATE), longest=30 * RATE, equal_lengths=False)
    found = []
    for start in range(0, len(lengths), shard):
        for windows in batching.plan(lengths[start : start + shard]):
            sizes = [len(window) for window in windows]
            found.append((len(sizes), max(sizes), sum(sizes)))
    return found


def bucketed(found: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The same, padded to shapes of which there are few."""
    step = 320 * BUCKET_FRAMES
    return [
        (-(-count // BUCKET_CLIPS) * BUCKET_CLIPS, -(-longest // step) * step, held)
        for count, longest, held in found
    ]


def row(
    name: str, found: Sequence[tuple[int, int, int]], a_second: float, host: float, tflops: float
) -> str:
    """A line of the table."""
    padded = sum(count * longest for count, longest, _ in found)
    held = sum(samples for *_, samples in found)
    work = padded / RATE * a_second / (tflops * 1e12)
    launching = len(found) * host
    shapes = len({batch[:2] for batch in found})
    bound = held / RATE / max(work, launching)
    return (
        f"| {name} | {len(found)} | {held / RATE / len(found):.0f} | {shapes} | "
        f"{100 * (padded / held - 1):.1f} | {work:.1f} | {launching:.1f} | {bound:,.0f} |"
    )


def main(asked: argparse.Namespace, work: Path) -> None:
    """Print what a forward is, and the table."""
    folder = work / f"hubert-{asked.size}-random"
    save_encoder(folder, asked.size)
    encoder: Any = load_encoder(str(folder), device="cpu", dtype="bfloat16")
    encoder._model.to(META)
    encoder._pretrained = replace(encoder._pretrained, device=META)
    seconds = 4
    alike, flop = counted(encoder, [seconds * RATE] * 8)
    mixed, _ = counted(encoder, [seconds * RATE] * 7 + [seconds * RATE - 3_200])
    a_second = flop / (8 * seconds)
    host = host_seconds(narrow(work / f"narrow-{asked.size}", asked.size), asked.repeats)
    print(
        f"HuBERT {asked.size}: {alike} launches a forward, {mixed} where lengths differ; "
        f"{1e3 * host:.1f} ms of the host; {a_second / 1e9:.1f} GFLOP a second of audio\n"
    )
    lengths = draw_lengths(round(asked.hours * 3600 * RATE), asked.seed)
    print(
        "| clips a shard, s a batch | batches | s each, mean | shapes | padding % | "
        f"GPU s at {asked.tflops:g} TFLOP/s | host s | bound, x real time |"
    )
    print("|---" * 8 + "|")
    for shard, most in PLANS:
        found = batches(lengths, shard, most)
        print(row(f"{shard}, {most:g}", found, a_second, host, asked.tflops))
    for shard, most in PLANS[:1] + PLANS[-1:]:
        found = bucketed(batches(lengths, shard, most))
        print(row(f"{shard}, {most:g}, few shapes, replayed", found, a_second, 0.0, asked.tflops))
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--size", choices=tuple(SIZES), default="large", help="tiny is for smoke runs")
    add("--hours", type=float, default=48.0, help="of audio that is planned")
    add("--tflops", type=float, default=790.0, help="of the GPU; default: an H200's, a product's")
    add("--repeats", type=int, default=15)
    add("--seed", type=int, default=0)
    add("--work", type=Path, help="folder to keep weights in; default: none kept")
    given = parser.parse_args()
    with work_folder(given.work) as work:
        main(given, work)
