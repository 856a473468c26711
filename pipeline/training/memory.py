"""How much memory there is for vectors, where they are learnt from."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch

SHARE = 0.5
"""Of the memory that is free: vectors that take more are streamed."""

_GROUPS = Path("/sys/fs/cgroup")
"""Limits of groups of processes, as containers, systemd and SLURM set them."""
_OWN = Path("/proc/self/cgroup")
"""Which group this process is in."""
_FILES = {
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
"""Of version 2 and of version 1: limit, use, and what of the use can be had back at once."""


def fits(size: int, device: torch.device) -> bool:
    """Whether vectors of `size` bytes may be held on a device, by every process that shares it."""
    return size <= SHARE * free(device)


def free(device: torch.device) -> int:
    """Bytes that are free on a GPU, or on the host for this process and its group."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # of torchrun, on this machine
    return min([_host(), *_groups()]) // processes


def _host() -> int:
    """What the system can give without swapping."""
    with suppress(OSError, ValueError, StopIteration):  # on Linux
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        told = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(told.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _groups() -> Iterator[int]:
    """What the limits of this process's groups leave, from its own to the outermost."""
    lines = []
    with suppress(OSError):
        lines = _OWN.read_text(encoding="utf-8").splitlines()
    for line in (*lines, "0::/", "0:memory:/"):  # in a container its group is the root
        _, kind, path = line.split(":", 2)
        if kind not in _FILES:
            continue
        limit, used, cached = _FILES[kind]
        folder = _GROUPS / kind / path.strip("/")
        while folder.is_relative_to(_GROUPS / kind):
            with suppress(OSError, ValueError):  # there is no such file, or it says `max`
                most, now = (int((folder / name).read_text()) for name in (limit, used))
                yield max(0, most - now + _cached(folder, cached))
            folder = folder.parent


def _cached(group: Path, name: str) -> int:
    """Bytes of files that a group has in memory and can give back."""
    with suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0
