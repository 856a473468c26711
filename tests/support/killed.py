"""Calls that die at a chosen step, each in a process of its own, imports paid once.

Every line on stdin is JSON, [step, call, arguments], and forks one call. Steps are what changes
names on the disk, counted from the moment a store is whole and is about to take its place (of an
extraction, from the naming of its plan, or of its first shard where it has one): the process ends
before step `step`, as by SIGKILL. Its exit status is printed, 9 where it died.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from gensr.features.store.convert import convert
from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.features.store.merge import merge
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support import stub
from support import synthetic as made


def add(out, names):
    made.make(Path(out), made.clips(names))


def again(corpus, out):
    """The call that the stores of 0.1.0 were made by."""
    settings = ExtractConfig(encoder="stub", shard_clips=5, batch_seconds=0.2, allow_errors=1)
    extract(Path(corpus), Path(out), settings, encoder=stub.StubEncoder())


CALLS = {
    "add": add,
    "again": again,
    "convert": lambda source, target: convert(source, target, overwrite=True),
    "merge": lambda sources, target: merge(sources, target, overwrite=True),
}


def die_at(step, firsts):
    """End this process before step number `step`, counted from the naming of one of `firsts`."""
    taken = -1

    def dying(name):
        do = getattr(os, name)

        def call(*args, **options):
            nonlocal taken
            begins = name == "replace" and bool({*Path(args[1]).parts[-2:]} & firsts)
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
                die_at(step, {"plan.json", "done"} if call == "again" else {"publish"})
                CALLS[call](*arguments)
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
