"""One of the processes that train together: `torchrun process.py NETWORK STEPS`."""

import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from gensr.estimator.parallel import joined
from training_parts.loops import Ours
from training_parts.networks import SIZES


def main(network: str, steps: int) -> None:
    """Say how long a step takes, after one that is not timed."""
    torch.set_num_threads(1)
    device, sizes = torch.device("cpu"), SIZES[network]
    with joined(device) as group:
        clips = sizes.clips(4 * sizes.budget.batch_size, device)
        loop = Ours(sizes.model(device), clips, sizes.budget, group)
        loop(1)
        group.wait()
        began = time.perf_counter()
        loop(steps)
        group.wait()
        if group.leads:
            print(json.dumps({"seconds": (time.perf_counter() - began) / steps}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
