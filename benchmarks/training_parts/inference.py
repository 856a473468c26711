"""Part `inference`: the sampler against the network's products, and by number of classes."""

from argparse import Namespace
from statistics import median

import torch

from gensr.estimator.device import threads_for
from gensr.estimator.models.gen_ser import GenSER
from gensr.estimator.precision import computing
from training_parts.limit import Products
from training_parts.networks import SIZES, Sizes, native_bfloat16
from training_parts.tables import Table, ratios, spread
from training_parts.turns import by_turns

_BATCH = 1024
"""Clips that `predict` takes at a time."""


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """Both tables, for every precision that the device computes itself."""
    sizes = SIZES[asked.inference_network]
    against = Table(
        f"Inference of the {sizes.name} network",
        ("precision", "N", "clips/s", "over N forwards' products", "bar"),
    )
    classes = Table(
        "Inference by number of classes, N = 1",
        ("precision", "C", "clips/s", "time, of the fewest", "bar"),
    )
    count = asked.inference_clips or (1024 if device.type == "cpu" else 65_536)
    clips = sizes.clips(count, device).x
    for precision in asked.precisions.split(","):
        if precision == "bfloat16" and not native_bfloat16(device):
            against.notes.append("bfloat16 is not timed: this CPU does not compute it natively")
            continue
        _against(against, sizes, clips, precision, asked, device)
        _by_classes(classes, sizes, clips, precision, asked, device)
    against.notes.append(
        f"{len(clips):,} clips through `predict`, batches of {_BATCH}; products: every "
        "`torch.mm` of a forward that computes a time's embedding once a clip"
    )
    return [against, classes]


def _against(
    table: Table,
    sizes: Sizes,
    clips: torch.Tensor,
    precision: str,
    asked: Namespace,
    device: torch.device,
) -> None:
    """N = 1 and N = 4 beside one forward's products."""
    model = sizes.model(device).eval()
    batch = min(_BATCH, len(clips))
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    products = Products(sizes.model(device), batch, dtype, learning=False)
    with threads_for(model.size):
        seconds = by_turns(
            {
                "1": lambda: _predict(model, clips, precision, 1),
                "4": lambda: _predict(model, clips, precision, 4),
                "products": products.forward,
            },
            asked.rounds,
            device,
        )
    for N in ("1", "4"):
        whole = [int(N) * s * len(clips) / batch for s in seconds["products"]]
        bar = "<= 0.85 on a CPU" if N == "4" else ">= 1,000,000 clips/s on an H200"
        speed = f"{len(clips) / median(seconds[N]):,.0f}"
        table.rows.append((precision, N, speed, spread(ratios(seconds[N], whole)), bar))
    table.raw.append({"precision": precision, "batch": batch, "seconds": seconds})


def _by_classes(
    table: Table,
    sizes: Sizes,
    clips: torch.Tensor,
    precision: str,
    asked: Namespace,
    device: torch.device,
) -> None:
    """The same network with other numbers of codes."""
    counts = [int(count) for count in asked.inference_classes.split(",")]
    base = sizes.model(device).eval()
    models = {str(count): _sharing(base, count) for count in counts}
    with threads_for(base.size):
        ways = {
            name: lambda model=model: _predict(model, clips, precision, 1)
            for name, model in models.items()
        }
        seconds = by_turns(ways, asked.rounds, device)
    for name in models:
        told = spread(ratios(seconds[name], seconds[str(counts[0])]), ".3f")
        bar = "1: independent of C" if name != str(counts[0]) else "-"
        speed = f"{len(clips) / median(seconds[name]):,.0f}"
        table.rows.append((precision, name, speed, told, bar))
    table.raw.append({"precision": precision, "seconds": seconds})


def _sharing(base: GenSER, classes: int) -> GenSER:
    """A model of so many classes on the network of another."""
    made = GenSER(classes, base.layers, base.width, base.config).to(base.device)
    made.network = base.network
    return made.eval()


def _predict(model: GenSER, clips: torch.Tensor, precision: str, N: int) -> None:
    with computing(model.device, precision):
        model.predict(clips, batch=_BATCH, N=N)
