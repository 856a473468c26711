"""How much audio a GPU takes at a time follows from its size and the model's, and from no more."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders import load_encoder
from gensr.features.encoders.footprint import (
    LARGEST,
    SMALLEST,
    bytes_per_second,
    seconds_that_fit,
)
from support.on_meta import Memory, to_meta

GIB = 1 << 30
LARGE = 316_000_000
"""Parameters of HuBERT large."""


@pytest.mark.parametrize(
    ("gib", "number", "seconds"),
    [(8, 2, 200), (16, 2, 400), (24, 2, 800), (80, 2, 800), (16, 4, 200), (24, 4, 400), (2, 4, 25)],
)
def test_hubert_large_on_cards_that_there_are(gib, number, seconds):
    a_second = bytes_per_second(512, 5, number, SAMPLE_RATE)
    assert seconds_that_fit(gib * GIB, LARGE * number, a_second) == seconds


@given(
    memory=st.integers(0, 1 << 40), weights=st.integers(0, 1 << 36), kib=st.integers(64, 1 << 20)
)
def test_it_is_a_step_of_two_within_bounds_and_fits_if_anything_does(memory, weights, kib):
    a_second = kib << 10
    found = seconds_that_fit(memory, weights, a_second)
    assert SMALLEST <= found <= LARGEST
    assert np.log2(found / SMALLEST).is_integer()
    assert found == SMALLEST or found * a_second + weights <= memory / 2
    # Cards of one kind differ by some MiB that a driver keeps: none but a few sizes can notice.
    assert seconds_that_fit(memory + (1 << 20), weights, a_second) in (found, 2 * found)


def test_the_largest_batch_is_counted_in_32_bits():
    assert LARGEST * SAMPLE_RATE / 5 * 512 < 1 << 31


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("lengths", [(64_000,) * 6, (64_000, 62_000, 60_000), (480_000, 400_000)])
@pytest.mark.parametrize("kind", ["hubert-large", "hubert-base", "wavlm-base", "data2vec"])
def test_a_forward_takes_no_more_than_is_reckoned(kind, lengths, dtype, checkpoint):
    """Of the model's shapes, with its front end as wide as that of real ones."""
    encoder = to_meta(load_encoder(str(checkpoint(kind)), device="cpu", dtype=dtype))
    config = encoder._model.config
    prepared = encoder._prepare([np.ones(n, np.float32) for n in lengths])
    with Memory() as memory:
        encoder._encode(prepared)
    seconds = len(lengths) * max(lengths) / SAMPLE_RATE
    number = encoder._pretrained.dtype.itemsize
    # These bodies are as wide as their front ends, a twentieth and less of it in real ones.
    body = 8 * config.hidden_size * 50 + _scores(kind, config, max(lengths))
    a_second = bytes_per_second(config.conv_dim[0], config.conv_stride[0], number, SAMPLE_RATE)
    assert memory.most <= seconds * (a_second + body * number)


def _scores(kind, config, longest):
    """Numbers a second of attention that keeps its scores: of each head, frame by frame."""
    frames = longest // 320
    return 5 * config.num_attention_heads * frames * 50 if kind.startswith("wavlm") else 0


def test_a_gpu_is_asked_for_its_size_and_a_cpu_is_not(loaded, monkeypatch):
    encoder = loaded("hubert-large")
    assert encoder.batch_seconds is None
    on_gpu = SimpleNamespace(device=torch.device("cuda:1"), dtype=torch.bfloat16)
    asked = []

    def properties(device):
        asked.append(device)
        return SimpleNamespace(total_memory=24 * GIB)

    monkeypatch.setattr(torch.cuda, "get_device_properties", properties)
    monkeypatch.setattr(encoder, "_pretrained", on_gpu)
    assert encoder._fitting() == LARGEST
    assert asked == [torch.device("cuda:1")]
