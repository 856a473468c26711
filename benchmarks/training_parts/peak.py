"""A process that trains or evaluates, and says how much memory it took at most.

python peak.py train STORE RUN STEPS resident|streamed one|all
python peak.py eval RUN
"""

import json
import re
import sys
from pathlib import Path


def _train(store: str, run: str, steps: str, way: str, folds: str) -> None:
    from gensr.pipeline.training.config import TrainConfig
    from gensr.pipeline.training.train import train

    config = TrainConfig(
        model="gen-ser",
        protocol="speaker-holdout" if folds == "one" else "speaker-5fold",
        steps=int(steps),
        stream=way == "streamed",
        device="cpu",
    )
    train(store, config, folder=run, overwrite=True)


def _evaluate(run: str) -> None:
    from gensr.pipeline.scoring.evaluate import evaluate

    evaluate(run, steps=(1, 4), device="cpu")


def _peak() -> int:
    """Bytes of this process; what the system says of an ended child may be its parent's."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found.group(1)) * 1024


if __name__ == "__main__":
    ways = {"train": _train, "eval": _evaluate}
    ways[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"peak": _peak()}))
