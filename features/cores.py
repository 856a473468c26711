"""How many cores this process may use: on a node that is shared, not all there are."""

import os


def usable_cores() -> int:
    """Return the cores that the operating system lets this process run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
