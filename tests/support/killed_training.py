"""Trainings that die at a chosen step, each in a process of its own, imports paid once.

Every line on stdin is JSON, [step, options], and forks one training. Steps are what changes the
disk: the process ends before step `step`, as by SIGKILL. Its exit status is printed, 9 where it
died.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import torch

from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.pipeline.training.train import TrainConfig, train


def die_at(step):
    """End this process before its step number `step`."""
    taken = -1

    def dying(name):
        do = getattr(os, name)

        def call(*args, **options):
            nonlocal taken
            taken += 1
            if taken == step:
                os._exit(9)
            return do(*args, **options)

        return call

    for name in ("rename", "replace", "unlink", "rmdir", "mkdir", "fsync"):
        setattr(os, name, dying(name))


def call(store, folder, config, **options):
    settings = {"device": "cpu", "model": "linear"} | config
    train([Path(store)], TrainConfig(**settings), folder=Path(folder), **options)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        step, arguments = json.loads(line)
        child = os.fork()
        if not child:
            status = 1
            try:
                die_at(step)
                call(**arguments)
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
