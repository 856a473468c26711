"""Calls that wait at each step of a commit until they are told to go on; imports paid once.

Every line on stdin is JSON, [call, arguments], and forks one call. Its process id is printed at
once; then, at every step, the step's name, and the call waits for one byte on stdin; its exit
status when it ends. Whoever calls can kill it between two steps that it chooses.

Steps are what is written whole, made to last, renamed or removed, and each report of progress.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from gensr.features.store import files
from gensr.features.store.convert import convert
from gensr.features.store.hdf5_store import Hdf5Writer  # noqa: F401  once, before forking
from gensr.features.store.job import open_job
from support import synthetic as made


def wait(name):
    os.write(1, f"{name}\n".encode())
    os.read(0, 1)


def advance(clips):
    wait("advance")


def stepwise():
    """Wait before each step from here on."""
    for name in ("write_atomic", "sync", "move", "remove"):
        do = getattr(files, name)

        def stepping(path, *rest, do=do, name=name):
            wait(f"{name} {path}")
            do(path, *rest)

        setattr(files, name, stepping)


def finish(out, count):
    """Commit a store whose every shard is marked; nothing is encoded."""
    rows = made.clips(f"{number:03}" for number in range(count))
    with open_job(Path(out), overwrite=False) as job:
        if job.base is not None:  # it took its place before the kill
            job.drop()
            return
        job.start(made.plan(rows))
        assert job.pending == ()
        stepwise()
        job.commit(advance)


def to_hdf5(source, target):
    stepwise()
    convert(Path(source), Path(target), overwrite=True, advance=advance)


CALLS = {"finish": finish, "convert": to_hdf5}

if __name__ == "__main__":
    child = None
    for line in sys.stdin:
        if not line.strip():  # of a call that was killed before it read it
            continue
        if child is not None:
            os.waitpid(child, 0)
        call, arguments = json.loads(line)
        child = os.fork()
        if not child:
            try:
                CALLS[call](*arguments)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        # After the first step's name, perhaps: whoever reads knows a number.
        print(f"pid {child}", flush=True)
        # It stays a zombie until the next line: a kill that comes too late hits nobody else.
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        print(f"status {status}", flush=True)
