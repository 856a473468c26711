"""Part `rows`: does a step know how many clips there are?"""

from argparse import Namespace
from dataclasses import replace
from statistics import median

import torch

from gensr.estimator.device import threads_for
from training_parts.loops import Ours
from training_parts.networks import SIZES
from training_parts.tables import Table, ratios, spread
from training_parts.turns import by_turns


def measure(asked: Namespace, device: torch.device) -> list[Table]:
    """Step time by number of clips, over that of the fewest."""
    sizes = SIZES["narrow"]
    budget = replace(sizes.budget, steps=10**6)  # the rate stays up
    counts = sorted(int(count) for count in asked.row_clips.split(","))
    loops = {
        str(count): Ours(sizes.model(device), sizes.clips(count, device), budget)
        for count in counts
    }
    with threads_for(sizes.model(device).size):
        ways = {name: lambda loop=loop: loop(asked.row_steps) for name, loop in loops.items()}
        seconds = by_turns(ways, asked.rounds, device)
    first, last = str(counts[0]), str(counts[-1])
    table = Table("The step by number of clips", ("clips", "ms a step", "of the fewest", "bar"))
    for name in loops:
        each = [1000 * s / asked.row_steps for s in seconds[name]]
        told = spread(ratios(seconds[name], seconds[first]), ".3f")
        bar = "<= 1.02" if name == last else "-"
        table.rows.append((f"{int(name):,}", f"{median(each):.3f}", told, bar))
    table.notes.append(
        f"{sizes.layers} x {sizes.width}, batch {budget.batch_size}, turns of {asked.row_steps} "
        "steps: of the many, about two windows are drawn in each"
    )
    table.raw.append({"steps": asked.row_steps, "seconds": seconds})
    return [table]
