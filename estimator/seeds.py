"""Seeds of independent draws, from one."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DRAWING = threading.Lock()


def mix_seed(seed: int, purpose: str, index: int | str) -> int:
    """A seed for one purpose, independent of all others."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{index}".encode()).digest()
    return int.from_bytes(digest[:7], "big")


def reseed(device: torch.device, seed: int) -> None:
    """Seed what torch draws by on the host and on a device; no other, unlike `manual_seed`."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def drawing(device: torch.device, seed: int) -> Iterator[None]:
    """Draw from a seed, one thread at a time; the host's generator is given back as it was."""
    with _DRAWING:
        before = torch.default_generator.get_state()
        reseed(device, seed)
        try:
            yield
        finally:
            torch.default_generator.set_state(before)
