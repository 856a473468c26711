"""Whoever asks for more memory than there is hears of it in one line."""

from typing import Any

import numpy as np
import pytest
import torch

from gensr.features.encoders import Encoder, EncoderMemoryError, enough_memory
from support.sounds import noise

FAR_TOO_MUCH = 2**58


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.zeros(FAR_TOO_MUCH, np.uint8),
        lambda: torch.zeros(FAR_TOO_MUCH, dtype=torch.uint8),
        pytest.param(
            lambda: torch.zeros(FAR_TOO_MUCH, dtype=torch.uint8, device="cuda"),
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
        ),
    ],
    ids=["numpy", "torch", "gpu"],
)
def test_too_much_is_one_line(allocate):
    with (
        pytest.raises(EncoderMemoryError, match=r"^out of memory while it ate$"),
        enough_memory("while it ate"),
    ):
        allocate()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_whatever_it_is_called(error):
    with pytest.raises(EncoderMemoryError, match="ate"), enough_memory("while it ate"):
        raise error


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="must match"), enough_memory("while it ate"):
        torch.zeros(2) + torch.zeros(3)


@pytest.mark.parametrize("stage", ["_prepare", "_encode"])
def test_an_encoder_says_so_while_it_prepares_and_while_it_runs(stage):
    class Greedy(Encoder):
        name, layers, width, equal_lengths = "greedy", ("x1",), 1, False

        def _encode(self, prepared: Any) -> Any:
            return np.zeros((len(prepared), 1, 1), np.float32)

        def provenance(self) -> dict[str, Any]:
            return {}

    def take(prepared: Any) -> Any:
        return torch.zeros(FAR_TOO_MUCH)

    encoder = Greedy()
    setattr(encoder, stage, take)
    with pytest.raises(EncoderMemoryError, match="out of memory while greedy"):
        encoder.encode(noise(400))
    with pytest.raises(EncoderMemoryError, match="out of memory while greedy"):
        list(encoder.stream([noise(400)]))
