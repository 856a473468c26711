"""Which budget, schedule constants, samplers and N? By development parts, never by test clips.

Against: the default of each setting, the others kept at theirs. For every fold of the store's
protocol a model learns from the training part without the development speakers, and answers
those; the table pools them over folds.

    python benchmarks/sweep.py emodb.zarr
"""

import argparse
from pathlib import Path
from typing import Any

import torch

from gensr.estimator.config import from_plain
from gensr.estimator.device import threads_for
from gensr.estimator.fitting import Fitting, TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import ModelSpec, build
from gensr.estimator.seeds import mix_seed
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.training.clips import labelled
from gensr.pipeline.training.vectors import open_vectors

TRAINED: dict[str, list[dict[str, Any]]] = {
    "default": [{}],
    "k": [{"k": 2.0}, {"k": 5.0}, {"k": 20.0}],
    "sigma": [{"sigma": 0.1}, {"sigma": 1.0}],
    "t_eps": [{"t_eps": 0.001}, {"t_eps": 0.2}],
    "T": [{"T": 0.97}],
    "standardize": [{"standardize": False}],
    "network": [{"network": {"hidden": 256}}, {"network": {"depth": 4}}],
}
SAMPLED: list[dict[str, Any]] = [
    {"sampler": name, "N": N} for name in ("exact", "euler") for N in (1, 2, 4, 10, 20)
]


def main(store: Path, steps: int, budgets: list[int], seed: int) -> None:
    """Print the two tables."""
    with open_vectors([store]) as vectors:
        protocol = make_protocol(vectors.table, seed=seed)
        clips = labelled(vectors, protocol, torch.device("cpu"), stream=False)

    def dev_accuracy(
        options: dict[str, Any],
        ways: list[dict[str, Any]],
        model_name: str = "gen-ser",
        steps: int = steps,
    ) -> list[float]:
        spec = ModelSpec(
            model=model_name,
            classes=protocol.classes,
            layers=vectors.layers,
            width=vectors.shape[1],
            options=from_plain(MODELS[model_name].Config, options, "sweep"),
        )
        right, tested = [0.0] * len(ways), 0
        for fold in protocol.folds:
            train, dev = (torch.from_numpy(rows) for rows in (fold.train, fold.dev))
            torch.manual_seed(mix_seed(seed, "fold", fold.name))
            model = build(spec)
            model.fit(clips.take(train), Fitting(seed=seed, budget=TrainingConfig(steps=steps)))
            tested += len(dev)
            for i, way in enumerate(ways):
                answers = model.predict(clips.batch(dev), **way).argmax(-1)
                right[i] += float((answers == clips.y[dev]).sum())
        return [count / tested for count in right]

    print(f"{store.name}, {protocol.name}, {steps} steps, development parts pooled\n")
    print("| model | " + " | ".join(f"{budget} steps" for budget in budgets) + " |")
    print("|---" * (len(budgets) + 1) + "|")
    for name in MODELS:
        shares = [dev_accuracy({}, [{}], name, budget)[0] for budget in budgets]
        print(f"| {name} | " + " | ".join(f"{100 * s:.1f}" for s in shares) + " |", flush=True)
    print("\n| setting | accuracy % |\n|---|---|")
    for group in TRAINED.values():
        for options in group:
            said = ", ".join(f"{key} = {value}" for key, value in options.items()) or "default"
            print(f"| {said} | {100 * dev_accuracy(options, [{}])[0]:.1f} |", flush=True)
    print("\n| sampler | N | accuracy % |\n|---|---|---|")
    for way, share in zip(SAMPLED, dev_accuracy({}, SAMPLED), strict=True):
        print(f"| {way['sampler']} | {way['N']} | {100 * share:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--budgets", default="150,300,600,1200")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with threads_for(0):
        main(asked.store, asked.steps, [int(n) for n in asked.budgets.split(",")], asked.seed)
