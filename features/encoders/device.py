"""Where an encoder runs, and the arithmetic it may use there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gensr.estimator.errors import EncoderError


def pick_device(name: str) -> torch.device:
    """Resolve `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, and check that it is there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise EncoderError(f"no device is called {name!r}; pass auto, cpu, cuda, cuda:0 or mps")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise EncoderError(f"device {name!r} is not there: torch sees {count} GPUs; pass cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise EncoderError("device 'mps' is not there; pass cpu")
    return device


@contextmanager
def exact_inference() -> Iterator[None]:
    """No gradients, no TF32 (cuDNN's convolutions use it by default), no picking by timing.

    The user's own settings are put back; running out of memory becomes an error with advice.
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
    except torch.OutOfMemoryError as error:
        raise EncoderError(
            "the device ran out of memory: make the batches smaller, or pass --dtype bfloat16"
        ) from error
    finally:
        matmul.allow_tf32 = before
