"""Do the presets at the paper's sizes train, in both precisions, and do its three claims hold?

Vectors of 25 x 1024 are made: seven classes, a direction of its own for each in every layer, and
noise that leaves an answer by one layer short of certainty. Networks, batch and rate are those of
`--preset paper` (section 3.2); steps are as many as are asked for, the paper's are 400,000. The
claims: codes of seven classes are orthogonal (Eq. 2), a larger k switches more quickly (Eq. 6),
more sampling steps help (Table 3).

    python benchmarks/paper_size.py --steps 120
    python benchmarks/paper_size.py --steps 120 --precision bfloat16
    python benchmarks/paper_size.py --device cuda --steps 5000 --precision float32,bfloat16
    python benchmarks/paper_size.py --device cuda --systems flow,score,transformer-mse
"""

import argparse
import time
from dataclasses import replace

import torch
from extraction_parts.report import machine
from torch import Tensor

from gensr.estimator.device import pick_device, threads_for
from gensr.estimator.fitting import Fitting, LogEntry
from gensr.estimator.models.gen_ser import GenSERConfig
from gensr.estimator.models.spec import ModelSpec, build, preset
from gensr.estimator.paths.logistic import LogisticMean
from gensr.estimator.resident import Resident

CLASSES = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
LAYERS, WIDTH = 25, 1024
NS = (1, 2, 4, 10, 20)
TARGETS = ("flow", "score")
"""Systems that are gen-ser by another target."""
SPREAD = 15.0
"""How far clips lie from their class, in lengths of its direction: by one layer alone some are
nearer to another."""


def clips(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Vectors (n, 25, 1024) and classes (n,)."""
    ways = torch.Generator().manual_seed(0)
    directions = torch.randn(len(CLASSES), LAYERS, WIDTH, generator=ways)
    own = torch.Generator().manual_seed(seed)
    y = torch.randint(len(CLASSES), (n,), generator=own)
    # A clip's noise is the same in every layer: more layers are no more clips.
    noise = torch.randn(n, 1, WIDTH, generator=own) + 0.3 * torch.randn(
        n, LAYERS, WIDTH, generator=own
    )
    return directions[y] + SPREAD * noise, y


def knowable(n: int) -> None:
    """Print what the true means of the classes tell: of x1, and of all layers together."""
    ways = torch.Generator().manual_seed(0)
    directions = torch.randn(len(CLASSES), LAYERS, WIDTH, generator=ways)
    x, y = clips(n, seed=2)
    one, every = (
        (torch.cdist(a, b).argmin(-1) == y).float().mean()
        for a, b in ((x[:, -1], directions[:, -1]), (x.flatten(1), directions.flatten(1)))
    )
    print(f"by the true means: x1 {100 * one:.1f} %, all layers {100 * every:.1f} %\n")


def orthogonality() -> None:
    """Print the largest product of two codes, over their own."""
    codes = GenSERConfig.paper().codes.table(len(CLASSES), WIDTH).double()
    products = codes @ codes.T
    apart = (products - products.diag().diag()).abs().max() / products.diag().mean()
    print(f"codes of {len(CLASSES)} classes at L = {WIDTH}: |<x0(a), x0(b)>| <= {apart:.1e} L/2\n")


def switches() -> None:
    """Print how much of t it takes the mean to go from a tenth to nine."""
    t = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    print("| k | t from a = .1 to .9 |\n|---|---|")
    for k in (1.0, 4.0, 10.0, 20.0, 50.0):
        a = LogisticMean(k=k).a(t)
        between = t[(a > 0.1) & (a < 0.9)]
        print(f"| {k:g} | {between[-1] - between[0]:.3f} |")
    print()


def train(asked: argparse.Namespace, system: str, precision: str, k: float | None) -> str:
    """Train once; return a row: losses on the way, ms of a step, accuracy by N."""
    device = pick_device(asked.device)
    of_target = {"target": system} if system in TARGETS else {}
    name = "gen-ser" if system in TARGETS else system
    config, budget = preset(name, "paper", of_target)
    assert budget is not None
    if k is not None:
        config = replace(config, mean=LogisticMean(k=k))
    layers = (*(f"layer {i}" for i in range(LAYERS - 1)), "x1")
    spec = ModelSpec(model=name, classes=CLASSES, layers=layers, width=WIDTH, options=config)
    torch.manual_seed(0)
    model = build(spec, device)
    every = max(1, asked.steps // 4)
    budget = replace(
        budget,
        steps=asked.steps,
        evaluate_every=every,
        precision=precision,
        ema=0.9,
    )
    log: list[LogEntry] = []
    x, y = clips(asked.clips, seed=1)
    began = time.perf_counter()
    with threads_for(model.size):
        model.fit(Resident(x.to(device), y), Fitting(seed=0, budget=budget, report=log.append))
        seconds = time.perf_counter() - began
        x, y = clips(asked.clips, seed=2)
        ways = [{"N": N} for N in NS] if k is not None else [{}]
        right = [
            (model.predict(x.to(device), **way).argmax(-1).cpu() == y).float().mean()
            for way in ways
        ]
    losses = ", ".join(
        f"{entry.loss:.3f}" + ("" if entry.start_loss is None else f"/{entry.start_loss:.3f}")
        for entry in log
    )
    cells = [f"{100 * share:.1f}" for share in right] + [""] * (len(NS) - len(right))
    told = [system, precision, "" if k is None else f"{k:g}", losses]
    return f"| {' | '.join([*told, f'{1000 * seconds / asked.steps:.1f}', *cells])} |"


def main(asked: argparse.Namespace) -> None:
    """Print the claims and a row for each training."""
    orthogonality()
    switches()
    knowable(asked.clips)
    print(
        "| system | precision | k | loss / at t = T, by quarters | ms a step | "
        + " | ".join(f"N = {N}, %" for N in NS)
        + " |"
    )
    print("|---" * (5 + len(NS)) + "|")
    for system in asked.systems.split(","):
        for precision in asked.precision.split(","):
            for k in map(float, asked.k.split(",")) if system == "gen-ser" else (None,):
                print(train(asked, system, precision, k), flush=True)
    print()
    for key, value in machine().items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--clips", type=int, default=1400)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--k", default="4,10,20", help="of gen-ser")
    parser.add_argument("--systems", default="gen-ser", help=f"models, and {', '.join(TARGETS)}")
    main(parser.parse_args())
