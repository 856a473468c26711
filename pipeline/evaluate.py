"""The numbers of a run: from its predictions and its protocol alone, and against N.

`score` needs no model and no store, so that answers from anywhere can be scored by it. The
sweep over N (Table 3) and the mean trajectory (Fig. 1) go back to the models and the vectors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.device import pick_device
from gensr.estimator.errors import RunError
from gensr.estimator.gen_ser import GenSER
from gensr.estimator.metrics import Numbers, numbers
from gensr.estimator.model import Model
from gensr.estimator.registry import load_model
from gensr.pipeline.answer import answer
from gensr.pipeline.protocol import Protocol
from gensr.pipeline.protocols import make_protocol
from gensr.pipeline.run import Prediction, Run
from gensr.pipeline.vectors import load_vectors

SWEEP = (1, 2, 4, 10, 20)
"""N of the paper's Table 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything `gensr eval` says of one run."""

    run: Path
    model: str
    protocol: Protocol
    numbers: Numbers
    """Over all tested clips, pooled."""
    folds: dict[str, dict[str, float]]
    """Per fold: n, accuracy, uar."""
    by_steps: dict[int, Numbers]
    """Per N; empty for a model without N."""
    options: dict[str, Any]
    """What made the model: its options, the training budget, layers, seed, sampler."""
    trajectory: "MeanTrajectory | None"
    """Fig. 1, for a model that has one."""
    pictures: list[Path] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "run": str(self.run),
            "model": self.model,
            **self.numbers.as_json(),
            "protocol": {"hash": self.protocol.hash, **self.protocol.describe()},
            "folds": self.folds,
            "over_folds": self.over_folds(),
            "by_steps": {str(N): result.as_json() for N, result in self.by_steps.items()},
            "options": self.options,
            "pictures": [str(picture) for picture in self.pictures],
        }

    def over_folds(self) -> dict[str, dict[str, float]]:
        """Mean and standard deviation over folds, beside the pooled numbers."""
        result = {}
        for name in ("accuracy", "uar"):
            values = [fold[name] for fold in self.folds.values()]
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            result[name] = {"mean": float(np.mean(values)), "sd": sd}
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanTrajectory:
    """The mean way of one class from speech to label, in the space the network works in."""

    name: str
    """The class."""
    times: NDArray[np.float32]
    """(N+1,) from T to t_eps."""
    states: NDArray[np.float32]
    """(N+1, L): mean state of the tested clips of the class."""
    code: NDArray[np.float32]
    """(L,): x0 of the class."""


def score(predictions: Sequence[Prediction], protocol: Protocol) -> Numbers:
    """The numbers of any predictions, given the protocol.

    Raises:
        RunError: a prediction for a clip that the protocol does not test in that fold, two for
            one clip, or a label or class that the protocol does not know.
    """
    tested = {(protocol.paths[row], fold.name): row for fold in protocol.folds for row in fold.test}
    index = {name: i for i, name in enumerate(protocol.classes)}
    rows = []
    for given in predictions:
        row = tested.pop((given.path, given.fold), None)
        if row is None or given.predicted not in index:
            raise RunError(
                f"predictions do not fit protocol {protocol.name}: {given.path}, fold "
                f"{given.fold}, predicted {given.predicted!r} is not among its tests, or twice"
            )
        rows.append(row)
    if not rows:
        raise RunError("there are no predictions to score")
    return numbers(
        protocol.labels[rows].tolist(),
        [index[given.predicted] for given in predictions],
        [protocol.clusters[row] for row in rows],
        protocol.classes,
    )


def evaluate(
    run: Run,
    *,
    sampler: str | None = None,
    steps: Sequence[int] = SWEEP,
    stores: Sequence[Path] | None = None,
    device: str = "auto",
) -> Evaluation:
    """Score a run; for Gen-SER also at every N of `steps`.

    Args:
        run: a finished run that tests something.
        sampler: `euler` or `exact`, in place of the one it was trained to use.
        steps: N to sweep; empty for none.
        stores: where the vectors are now, if they were moved.
        device: for the sweep.

    Raises:
        RunError: the run is unfinished, tests nothing, or does not fit the stores.
    """
    config, protocol = run.config, run.protocol
    if config["fold"] == "none":
        raise RunError(
            f"{run.folder} learnt from every clip to be deployed, so nothing is left to test; "
            "train without --fold none to evaluate"
        )
    predictions = run.predictions()
    by_steps: dict[int, Numbers] = {}
    trajectory = None
    used = sampler
    if config["model"] == GenSER.name:
        bench = _Bench(run, stores, device)
        used = sampler or config["options"]["sampler"]
        by_steps = {N: score(bench.answers(sampler=used, N=N), protocol) for N in steps}
        trajectory = bench.trajectory(used)
        if sampler:
            predictions = bench.answers(sampler=sampler)
    names = {given.fold for given in predictions}
    return Evaluation(
        run=run.folder,
        model=config["model"],
        protocol=protocol,
        numbers=score(predictions, protocol),
        folds={
            name: _fold_numbers(predictions, protocol, name)
            for name in config["folds"]
            if name in names
        },
        by_steps=by_steps,
        options={
            **{key: config[key] for key in ("options", "training", "layers", "seed", "encoder")},
            "sampler": used,
        },
        trajectory=trajectory,
    )


def _fold_numbers(
    predictions: Sequence[Prediction], protocol: Protocol, name: str
) -> dict[str, float]:
    found = score([given for given in predictions if given.fold == name], protocol)
    return {"n": found.n, "accuracy": found.values["accuracy"], "uar": found.values["uar"]}


class _Bench:
    """The models of a run beside the vectors they were trained on."""

    def __init__(self, run: Run, stores: Sequence[Path] | None, device: str) -> None:
        config = run.config
        paths = list(stores or map(Path, config["stores"]))
        vectors = load_vectors(paths, config["layers"][:-1])
        known = [store["hash"] for store in run.manifest["stores"]]
        if list(vectors.hashes) != known:
            raise RunError(
                f"{run.folder} was trained on other vectors than {', '.join(map(str, paths))} "
                "hold now; pass the store it was trained on with --store, or train again"
            )
        self._protocol = make_protocol(
            vectors.table,
            name=config["protocol"],
            label=config["label"],
            labels=config["labels"],
            seed=config["seed"],
        )
        if self._protocol.hash != run.manifest["protocol_hash"]:
            raise RunError(
                f"{run.folder}: the labels or splits of its store were changed since it was "
                "trained; train again, or extract the labels it was trained with"
            )
        place = pick_device(device)
        self._x = torch.from_numpy(vectors.x[self._protocol.store_rows]).to(place)
        self._models: dict[str, Model] = {
            name: load_model(run.fold(name), place)[0] for name in config["folds"]
        }

    def answers(self, **options: Any) -> list[Prediction]:
        """The answers of every fold's model to its test clips."""
        return [
            given
            for fold in self._protocol.folds
            if fold.name in self._models
            for given in answer(self._models[fold.name], fold, self._protocol, self._x, **options)
        ]

    def trajectory(self, sampler: str, N: int = 20) -> MeanTrajectory | None:
        """Mean states of the tested clips of the first class that is tested (i_b = 0)."""
        total, count = None, 0
        label = min(int(self._protocol.labels[fold.test].min()) for fold in self._protocol.folds)
        for fold in self._protocol.folds:
            model = self._models.get(fold.name)
            rows = fold.test[self._protocol.labels[fold.test] == label]
            if not isinstance(model, GenSER) or not len(rows):
                continue
            with torch.inference_mode():
                way = model.transport(self._x[torch.from_numpy(rows)], sampler=sampler, N=N)
            states = way.states.sum(1).cpu().numpy()
            total = states if total is None else total + states
            count += len(rows)
            times, code = way.times.cpu().numpy(), model.codes[label].cpu().numpy()
        if total is None:
            return None
        return MeanTrajectory(
            name=self._protocol.classes[label],
            times=times,
            states=(total / count).astype(np.float32),
            code=code,
        )
