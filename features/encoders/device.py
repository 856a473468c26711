"""The arithmetic an encoder may use where it runs, and the memory a batch is sent from."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def exact_inference() -> Iterator[None]:
    """No gradients, no TF32 (cuDNN's convolutions use it by default), no picking by timing.

    The user's own settings are put back.
    """
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    matmul.allow_tf32 = False
    cudnn = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    try:
        with torch.inference_mode(), cudnn:
            yield
    finally:
        matmul.allow_tf32 = before


def host_zeros(shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
    """Float32 zeros on the host; for a GPU page-locked, so that sending them is not waited for.

    Else by numpy: torch would fill them with a team of threads, of the thread that prepares
    batches, and that team would go on to contend for the cores with the encoder's own.
    """
    if device.type == "cuda":
        return torch.zeros(shape, pin_memory=True)
    return torch.from_numpy(np.zeros(shape, np.float32))
