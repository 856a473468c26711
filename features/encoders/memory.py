"""Running out of memory, on the host or on a device, as one line; the caller knows what to do.

torch is not imported: encoders without it start fast.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from gensr.features.encoders.errors import EncoderError


class EncoderMemoryError(EncoderError):
    """Memory ran out."""


@contextmanager
def enough_memory(meanwhile: str) -> Iterator[None]:
    """Whoever allocates too much inside is told so.

    Args:
        meanwhile: what was being done: "while ...".

    Raises:
        EncoderMemoryError: numpy or torch could not allocate.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _of_memory(error):
            raise
        raise EncoderMemoryError(f"out of memory {meanwhile}") from error


def _of_memory(error: Exception) -> bool:
    """Say so of numpy's type for it, and of the sentences of torch, cuBLAS, CUDA and MPS."""
    words = str(error)
    return isinstance(error, MemoryError) or any(
        said in words for said in ("out of memory", "DefaultCPUAllocator", "ALLOC_FAILED")
    )
