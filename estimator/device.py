"""Where tensors live, and on how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from gensr.estimator.errors import ConfigError

SMALL = 5_000_000
"""Parameters below which a second thread costs more than it gives: matrices are too small."""


def pick_device(name: str) -> torch.device:
    """Resolve `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, and check that it is there.

    Raises:
        ConfigError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"no device is called {name!r}; pass auto, cpu, cuda, cuda:0 or mps")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ConfigError(f"device {name!r} is not there: torch sees {count} GPUs; pass cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device 'mps' is not there; pass cpu")
    return device


@contextmanager
def threads_for(parameters: int) -> Iterator[None]:
    """One thread for a small model, torch's own number for a large one.

    On a machine whose cores are shared, threads that wait for each other at every small matrix
    slow a step down many times over; on an idle one they gain little. And the weights of a
    small model then do not depend on the number of cores.
    """
    before = torch.get_num_threads()
    try:
        if parameters < SMALL:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(before)


def send(some: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on a device; the host does not wait for a GPU to have it."""
    if device.type != "cuda":
        return some.to(device)
    return some.pin_memory().to(device, non_blocking=True)
