"""Calls that die at a chosen step, each in a process of its own, imports paid once.

Every line on stdin is JSON, [step, call, arguments], and forks one call. Steps are what changes
names on the disk, counted from the moment a store is whole and is about to take its place: the
process ends before step `step`, as by SIGKILL. Its exit status is printed, 9 where it died.
"""

import json
import os
import runpy
import sys
import traceback
from pathlib import Path

from gensr.features.store.convert import convert
from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.features.store.merge import merge

made = runpy.run_path(str(Path(__file__).with_name("synthetic.py")))


def add(out, names):
    made["make"](Path(out), made["clips"](names))


CALLS = {
    "add": add,
    "convert": lambda source, target: convert(source, target, overwrite=True),
    "merge": lambda sources, target: merge(sources, target, overwrite=True),
}


def die_at(step):
    """End this process before its step number `step`; the first is the naming of `publish`."""
    taken = -1

    def dying(name):
        do = getattr(os, name)

        def call(*args, **options):
            nonlocal taken
            begins = name == "replace" and Path(args[1]).name == "publish"
            if begins or taken >= 0:
                taken += 1
            if taken == step:
                os._exit(9)
            return do(*args, **options)

        return call

    for name in ("rename", "replace", "unlink", "rmdir"):
        setattr(os, name, dying(name))


if __name__ == "__main__":
    for line in sys.stdin:
        step, call, arguments = json.loads(line)
        child = os.fork()
        if not child:
            status = 1
            try:
                die_at(step)
                CALLS[call](*arguments)
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
