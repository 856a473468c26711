"""Calls that a power cut ends at a chosen step, each in a process of its own, imports paid once.

Every line on stdin is JSON, [step, tear, call, arguments, folder], and forks one call. Steps are
what flushes, or changes names. At step `step` the process ends, and of every file in `folder`
that was written and not flushed since, the data are lost as file systems lose them: it is
`empty`, full of `zeros`, or whole up to the `half`. Its exit status is printed, 9 where it ended.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from gensr.features.store.convert import convert
from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.features.store.merge import merge
from support import synthetic as made

CALLS = {
    "make": lambda out, names: made.make(Path(out), made.clips(names)),
    "convert": lambda source, target: convert(source, target, overwrite=True),
    "merge": lambda sources, target: merge(sources, target, overwrite=True),
}


def state(status):
    return status.st_ino, status.st_mtime_ns, status.st_size


def lose(file, tear):
    size = file.stat().st_size
    with file.open("r+b") as data:
        kept = {"empty": b"", "zeros": b"", "half": data.read(size // 2)}[tear]
        data.seek(0)
        data.truncate()
        data.write(kept)
        data.truncate(0 if tear == "empty" else size)


def cut_at(step, tear, folder):
    """End this process at its step number `step`, and lose what was not flushed."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    lasting = {state(file.stat()) for file in files}
    taken = 0

    def cut():
        nonlocal taken
        if taken == step:
            for file in folder.rglob("*"):
                if file.is_file() and state(file.stat()) not in lasting:
                    lose(file, tear)
            os._exit(9)
        taken += 1

    def watched(name):
        do = getattr(os, name)

        def call(*args, **options):
            cut()
            answer = do(*args, **options)
            if name == "fsync":
                lasting.add(state(os.fstat(args[0])))
            return answer

        return call

    for name in ("fsync", "rename", "replace", "unlink", "rmdir"):
        setattr(os, name, watched(name))


if __name__ == "__main__":
    for line in sys.stdin:
        step, tear, call, arguments, folder = json.loads(line)
        child = os.fork()
        if not child:
            status = 1
            try:
                cut_at(step, tear, Path(folder))
                CALLS[call](*arguments)
                status = 0
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
