"""How near does `gensr train` come to what the hardware can do, and how much memory does it take?

Against: the plain eager loop with a DataLoader, and the hardware's own limit (products of matrices
at the network's own shapes; the weights' way through memory). Vectors are made where they are
used. What is compared takes turns in one process; memory is that of processes of their own.

    python benchmarks/training.py --out figures.json
    python benchmarks/training.py --parts memory,order
    python benchmarks/training.py --device cuda --out figures.json

| part | asks |
|---|---|
| memory | what train and eval take, by the bytes of their vectors: held, and streamed |
| rows | whether a step knows how many clips there are |
| step | a step: gensr, the plain loop, the limit |
| run | the paper's whole run, projected from steady steps; host syncs, counted |
| inference | the sampler against products, and by number of classes |
| together | folds and seeds of a small corpus as few programs, against one by one |
| order | what it costs to shuffle within windows |
| parallel | two processes against one |
"""

import argparse
import importlib
import json
import time
import traceback
from dataclasses import asdict
from pathlib import Path

import torch
from extraction_parts.report import machine
from extraction_parts.work import work_folder
from training_parts.networks import SIZES
from training_parts.tables import Table

from gensr.estimator.device import pick_device

PARTS = ("memory", "rows", "step", "run", "inference", "together", "order", "parallel")
TURNS = {"cpu": 1.5, "cuda": 0.3}
"""Seconds."""
DEFAULTS = {
    "cpu": "memory,rows,step,inference,together,order,parallel",
    "cuda": "rows,step,run,inference,together",
}


def main(asked: argparse.Namespace) -> int:
    """Measure, print, and return the exit status: 1 where a part could not be measured."""
    device = pick_device(asked.device)
    asked.turn_seconds = asked.turn_seconds or TURNS[device.type]
    found: dict[str, list[Table]] = {}
    failed: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for part in (asked.parts or DEFAULTS[device.type]).split(","):
        began = time.perf_counter()
        try:
            found[part] = importlib.import_module(f"training_parts.{part}").measure(asked, device)
        except Exception:  # the others are still worth having
            failed[part] = traceback.format_exc()
            print(f"## {part}: could not be measured\n\n{failed[part]}", flush=True)
        seconds[part] = time.perf_counter() - began
        for table in found.get(part, ()):
            print(f"{table.text()}\n", flush=True)
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if asked.out is not None:
            tables = {name: [asdict(table) for table in some] for name, some in found.items()}
            content = {**_where(device), "parts": tables, "failed": failed, "seconds": seconds}
            asked.out.write_text(json.dumps(content, indent=2))
    for key, value in _where(device).items():
        print(f"{key}: {value}")
    return int(bool(failed))


def _where(device: torch.device) -> dict[str, str]:
    """What the numbers hold for."""
    return {
        **machine(),
        "device": f"{device}, {torch.get_num_threads()} threads",
        "date": time.strftime("%Y-%m-%d"),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--parts", help=f"separated by commas; default: {DEFAULTS}")
    add("--device", default="cpu", help="cpu, cuda or auto")
    add("--out", type=Path, help="JSON file for every raw figure")
    add("--work", type=Path, help="folder to keep stores and runs in; default: none kept")
    add("--rounds", type=int, default=7, help="of rows, step and inference")
    add("--precisions", default="float32,bfloat16", help="bfloat16 where the hardware has it")
    _sizes(parser)
    asked = parser.parse_args()
    if unknown := set((asked.parts or "").split(",")) - {"", *PARTS}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    names = [*asked.networks.split(","), asked.inference_network, asked.run_network]
    if unknown := {*names, asked.parallel_network} - set(SIZES):
        parser.error(f"no such network: {', '.join(sorted(unknown))}; there are {tuple(SIZES)}")
    return asked


def _sizes(parser: argparse.ArgumentParser) -> None:
    """How much of everything: the defaults take two cores a quarter of an hour at most."""
    add = parser.add_argument
    add("--resident", default="4000,12000:25x1024", help="memory: clips,clips:layers x width, held")
    add("--streamed", default="50000,500000:3x64", help="memory: the same, streamed")
    add("--container", choices=(".zarr", ".h5"), default=".zarr", help="memory: of its stores")
    add("--memory-steps", type=int, default=20)
    add("--memory-folds", default="one,all", help="memory: of the training, one or all or both")
    add("--row-clips", default="1000,750000", help="rows: clips,clips")
    add("--row-steps", type=int, default=512, help="rows: steps of a turn")
    add("--networks", default="paper,small", help=f"step: of {', '.join(SIZES)}")
    add("--clips", type=int, default=2000, help="step: clips to learn from")
    add("--turn-seconds", type=float, help=f"step: about how long a turn is; default: {TURNS}")
    add("--run-network", default="paper")
    add("--run-clips", type=int, default=52_000)
    add("--run-steps", type=int, default=24_000, help="run: steps of the schedule that are taken")
    add("--inference-network", default="paper")
    add("--inference-clips", type=int, help="default: 1,024 on a CPU, 65,536 on a GPU")
    add("--inference-classes", default="4,40,400", help="inference: values of C")
    add("--encoders", default="fbank,whisper-base", help="together: whose vectors")
    add("--together-clips", type=int, default=361, help="together: clips of all folds")
    add("--together-steps", type=int, default=150)
    add("--together-rounds", type=int, default=3)
    add("--folds", type=int, default=10, help="together")
    add("--seeds", type=int, default=5, help="together")
    add("--order-clips", type=int, default=16_384)
    add("--order-steps", type=int, default=512)
    add("--order-seeds", type=int, default=5)
    add("--parallel-network", default="paper")
    add("--parallel-steps", type=int, default=4)
    add("--parallel-rounds", type=int, default=3)


if __name__ == "__main__":
    arguments = _arguments()
    with work_folder(arguments.work) as folder:
        arguments.work = folder
        status = main(arguments)
    raise SystemExit(status)
