"""How long until the first clip is encoded, beside a bare script with the same encoder?

Against: a script that imports torch and the model's class from transformers, loads the weights, and
runs one forward. gensr is the whole command on one clip of half a second: imports, checks, weights
and their hash, the file heard in a process of its own, encoded, written and committed. Both are
processes of their own and take turns, the first one changing; `fbank` is the command without any
weights. Processor time counts all cores and all processes, the decoder's too: on a machine that
others use, the steadier number.

    python benchmarks/startup.py --size base
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TypeAlias

from extraction_parts.clips import speech_like, write_wav
from extraction_parts.report import machine
from extraction_parts.systems import GENSR
from extraction_parts.weights import SIZES, save_encoder
from extraction_parts.work import work_folder

Spent: TypeAlias = tuple[float, float]
"""Seconds by the clock, and of cores."""
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
BARE = """
import sys
import torch
from transformers import HubertModel
model = HubertModel.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
with torch.inference_mode():
    model(torch.randn(1, 8_000)).last_hidden_state.mean(1).numpy()
"""


def commands(encoder: Path, corpus: Path, out: Path) -> dict[str, list[str]]:
    """What is timed, by name."""
    extract = [*GENSR, "extract", str(corpus), "--out", str(out), "--device", "cpu", "--encoder"]
    return {
        "bare script": [sys.executable, "-c", BARE, str(encoder)],
        "gensr extract": [*extract, str(encoder)],
        "gensr extract, fbank": [*extract, "fbank"],
    }


def turns(ways: dict[str, list[str]], out: Path, repeats: int) -> dict[str, list[Spent]]:
    """What each takes, turn by turn; the first turn, which warms the disk's cache, is left out."""
    names = list(ways)
    # As where it is installed: what was imported once is there compiled.
    around = {name: value for name, value in os.environ.items() if name != _UNCOMPILED}
    found: dict[str, list[Spent]] = {name: [] for name in names}
    for turn in range(-1, repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            shutil.rmtree(out, ignore_errors=True)
            worked, began = _worked(), time.perf_counter()
            subprocess.run(ways[name], check=True, capture_output=True, env=around)
            if turn >= 0:
                found[name].append((time.perf_counter() - began, _worked() - worked))
    return found


def _worked() -> float:
    """Seconds that cores have worked for the processes that have ended."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def main(asked: argparse.Namespace, work: Path) -> None:
    """Print the table."""
    encoder, out = work / f"hubert-{asked.size}-random", work / "start.zarr"
    save_encoder(encoder, asked.size)
    clip = work / "one-clip" / "neutral" / "one.wav"
    clip.parent.mkdir(parents=True, exist_ok=True)
    write_wav(clip, speech_like(0.5, seed=1))
    found = turns(commands(encoder, clip.parent.parent, out), out, asked.repeats)
    print(f"HuBERT {asked.size} (random weights), float32 on the CPU; {asked.repeats} turns\n")
    print("| | s | of the bare script | processor s | of the bare script |")
    print("|---|---|---|---|---|")
    for name in found:
        cells = []
        for kind in range(2):
            times, bare = ([each[kind] for each in found[way]] for way in (name, "bare script"))
            ratio = median(a / b for a, b in zip(times, bare, strict=True))
            cells += [f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})", f"{ratio:.2f}"]
        print(f"| {name} | {' | '.join(cells)} |")
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=tuple(SIZES), default="base", help="tiny: smoke runs")
    parser.add_argument("--repeats", type=int, default=5, help="turns that count")
    parser.add_argument("--work", type=Path, help="folder to keep weights in; default: none kept")
    given = parser.parse_args()
    with work_folder(given.work) as work:
        main(given, work)
