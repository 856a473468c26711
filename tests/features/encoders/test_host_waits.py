"""A forward never makes the host wait for the device: a queue that runs dry is lost time.

A model on torch's `meta` device has no numbers to give, so whoever asks for one fails; and what
is sent there from the host is seen on its way. A GPU is not needed for either.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gensr.features.encoders import load_encoder
from support.checkpoints import KINDS
from support.on_meta import META, to_meta
from support.sounds import noise

ASKS = (
    *("aten._local_scalar_dense.", "aten.nonzero.", "aten.is_nonzero.", "aten.equal."),
    "aten.index_put_.",
)
"""Operations that hand the host a number, or a shape that follows from numbers; and the last, which
is sent its number from the host where the device is a GPU, and there alone."""


class Heard(TorchDispatchMode):
    """Keeps what is asked of a device, and what is sent to it while the host waits."""

    def __init__(self):
        super().__init__()
        self.asked, self.sent, self.operations = [], [], 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = str(function)
        self.operations += 1
        if name.startswith(ASKS):
            self.asked.append(name)
        result = function(*args, **kwargs)
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        here = any(leaf.device.type == "cpu" for leaf in given)
        there = any(leaf.device == META for leaf in tree_leaves(result) if hasattr(leaf, "device"))
        if here and there and not (kwargs.get("non_blocking") or _quick(name, args)):
            self.sent.append(name)
        return result


def _quick(name, args):
    """Whether numbers of the host go with the call: a fill by one, or a copy that is not waited."""
    return name.startswith("aten.masked_fill") or (
        name == "aten.copy_.default" and args[2:] == (1,)
    )


@pytest.fixture
def on_meta(checkpoint):
    def load(kind, **options):
        return to_meta(load_encoder(str(checkpoint(kind)), device="cpu", **options))

    return load


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "whisper"])
def test_a_batch_of_mixed_lengths_waits_for_nothing(kind, on_meta):
    encoder = on_meta(kind)
    prepared = encoder._prepare(noise(5_000, 8_000, 8_001))
    with Heard() as heard:
        means = encoder._encode(prepared)
    assert means.shape == (3, 4, 32)
    assert heard.operations > 100
    assert heard.asked == heard.sent == []


def test_what_transformers_does_with_a_mask_would_be_noticed(on_meta):
    """The check can fail: its own way asks the device whether the mask hides anything."""
    model = on_meta("hubert-large")._model
    values, mask = torch.zeros((2, 8_000), device=META), torch.ones((2, 8_000), device=META)
    with Heard(), torch.inference_mode(), pytest.raises(RuntimeError, match="meta"):
        model(values, attention_mask=mask.long())


def test_what_is_sent_while_the_host_waits_would_be_noticed():
    there = torch.zeros(3, device=META)
    with Heard() as heard:
        there[torch.tensor([0, 2], device=META)] = 1.0
        torch.zeros(3).to(META)
        torch.zeros(3).to(META, non_blocking=True)
    assert heard.asked == ["aten.index_put_.default"]
    assert heard.sent == ["aten._to_copy.default"]


def test_weights_are_not_computed_anew_at_each_forward(on_meta):
    """As the positional convolution's would be, of their norms."""
    assert not [
        name for name, _ in on_meta("hubert-large")._model.named_parameters() if "origin" in name
    ]


@pytest.mark.parametrize(("frames", "row"), [(8, 8), (9, 16), (199, 200)])
def test_rows_of_a_mask_begin_where_kernels_read_them(frames, row, loaded):
    """Else the attention of every layer copies the mask first."""
    from gensr.features.encoders.pooling import Frames

    padding = loaded("hubert-large")._padding
    padding._set(None, Frames.of([frames, 3], torch.device("cpu")))
    try:
        mask = padding._mask_for(torch.zeros((2, frames, 32), dtype=torch.bfloat16))
    finally:
        padding._set(None, None)
    assert mask.shape == (2, 1, 1, frames)
    assert mask.stride() == (row, row, row, 1)
    assert mask.dtype == torch.bfloat16
    assert (mask[0] == 0).all()
    assert (mask[1, 0, 0, :3] == 0).all()
    assert (mask[1, 0, 0, 3:] == -torch.inf).all()
