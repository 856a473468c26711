"""Extractions that are begun over and over, each in a process of its own, imports paid once.

python -m support.forked CORPUS OUT PAUSE

Every line on stdin forks one extraction. Its process id is printed at once, its exit status when
it ends, and before that, if it lives so long: clips encoded, skipped, and all.
"""

import os
import sys
import warnings
from pathlib import Path

import gensr.features.store.hdf5_store  # noqa: F401  once, before forking
from gensr.features.store import job  # noqa: F401
from support.stub import main as extract

if __name__ == "__main__":
    warnings.simplefilter("error")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            pause = line.strip() or sys.argv[3]
            print(*extract(Path(sys.argv[1]), Path(sys.argv[2]), float(pause)), flush=True)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
