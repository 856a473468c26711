"""Part `order`: what it costs to mix clips within windows only, as streaming must.

The clips lie as a corpus does, speaker by speaker and class by class. What a window holds is drawn
from whole blocks, so the order is a worse one the fewer blocks a window takes. Nothing is timed.
"""

from argparse import Namespace
from dataclasses import replace
from statistics import mean, stdev

import torch

from gensr.estimator.device import threads_for
from gensr.estimator.fitting import LogEntry
from gensr.estimator.resident import Resident
from gensr.estimator.training import fit
from training_parts.networks import SIZES
from training_parts.tables import Table

_SPEAKERS, _HELD_OUT = 32, 8
_WINDOWS = ((4, 64), (16, 64), (16, 8), (64, 8))
"""(windows an epoch, blocks a window), beside one window of all."""


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """The end of the training, by window, against a whole permutation of the same seed."""
    sizes = SIZES["narrow"]
    train, dev = _corpus(asked.order_clips, sizes.layers, sizes.width, sizes.classes, device)
    budget = replace(
        sizes.budget,
        steps=asked.order_steps,
        evaluate_every=max(1, asked.order_steps // 8),
        batch_size=min(sizes.budget.batch_size, asked.order_clips // 256),
    )
    ways = {"all clips": (len(train), 1)}
    for windows, blocks in _WINDOWS:
        window = len(train) // windows
        ways[f"{window:,} clips: {blocks} blocks of {window // blocks}"] = window, window // blocks
    logs: dict[str, list[list[LogEntry]]] = {name: [] for name in ways}
    for seed in range(asked.order_seeds):
        for name, (window, block) in ways.items():
            model = sizes.model(device, seed)
            config = replace(budget, window=window, block=block)
            with threads_for(model.size):
                logs[name].append(
                    fit(model, train.take(torch.arange(len(train))), config, seed=seed, dev=dev)
                )
    ends = _ends(logs)
    ends.notes.append(
        f"{len(train):,} clips of {_SPEAKERS} speakers, {asked.order_steps} steps of "
        f"{budget.batch_size} clips, {asked.order_seeds} seeds; dev: {len(dev):,} clips of "
        f"{_HELD_OUT} other speakers"
    )
    return [ends, _curve(logs)]


def _ends(logs: dict[str, list[list[LogEntry]]]) -> Table:
    """The last line of each log: mean and sd over seeds, and of the difference seed by seed."""
    columns = ("shuffled together", "training loss", "less whole", "dev accuracy, %", "less whole")
    table = Table(
        "What the order costs: the end of the training", (*columns, "dev Brier", "less whole")
    )
    whole = next(iter(logs.values()))
    for name, found in logs.items():
        cells = [name]
        for field, scale, form in (
            ("loss", 1, ".4f"),
            ("dev_accuracy", 100, ".2f"),
            ("dev_loss", 1, ".4f"),
        ):
            mine = [scale * getattr(log[-1], field) for log in found]
            differ = [
                a - scale * getattr(log[-1], field) for a, log in zip(mine, whole, strict=True)
            ]
            cells += [_mean(mine, form), "-" if found is whole else _mean(differ, "+" + form)]
        table.rows.append(tuple(cells))
        table.raw.append({"window": name, "logs": [[_plain(e) for e in log] for log in found]})
    table.notes.append("mean and standard deviation over seeds")
    return table


def _curve(logs: dict[str, list[list[LogEntry]]]) -> Table:
    """Mean training loss on the way."""
    steps = [str(entry.step) for entry in next(iter(logs.values()))[0]]
    table = Table("What the order costs: training loss at step", ("shuffled together", *steps))
    for name, found in logs.items():
        curve = [mean(log[i].loss for log in found) for i in range(len(steps))]
        table.rows.append((name, *(f"{loss:.4f}" for loss in curve)))
    return table


def _corpus(
    count: int, layers: int, width: int, classes: int, device: torch.device
) -> tuple[Resident, Resident]:
    """Clips in the order of speakers, then of classes; of the last speakers, the dev part."""
    drawn = torch.Generator().manual_seed(0)
    each = max(1, count // (_SPEAKERS * classes))
    speakers = torch.arange(_SPEAKERS + _HELD_OUT).repeat_interleave(classes * each)
    y = torch.arange(classes).repeat_interleave(each).repeat(_SPEAKERS + _HELD_OUT)
    shape = layers, width
    voice = torch.randn(_SPEAKERS + _HELD_OUT, *shape, generator=drawn)
    emotion = torch.randn(classes, *shape, generator=drawn)
    x = 0.7 * voice[speakers] + 0.2 * emotion[y]
    x += torch.randn(len(y), *shape, generator=drawn)
    x, learnt = x.to(device), speakers < _SPEAKERS
    return Resident(x[learnt.to(device)], y[learnt]), Resident(x[~learnt.to(device)], y[~learnt])


def _mean(values: list[float], form: str) -> str:
    spread = stdev(values) if len(values) > 1 else 0.0
    return f"{mean(values):{form}} ({spread:{form.lstrip('+')}})"


def _plain(entry: LogEntry) -> list[object]:
    return [entry.step, entry.loss, entry.dev_loss, entry.dev_accuracy]
