"""The three places where padding leaks into a clip's own frames, and the mend of each.

An attention mask is enough almost everywhere: padded frames are set to zero where the transformer
begins, as if the convolution's own zero padding stood there, and no frame attends to them. Both
are done here and not by transformers, which would have to ask the device whether a mask hides
anything, and sends it a number of its own: twice the host would wait for the queue to run dry.
Where there is padding is known before anything is sent.

A mask is not enough in
- the group norm behind the first convolution (HuBERT base, wav2vec 2.0 base): its statistics run
  over all frames, so here over the valid ones alone;
- the stacked positional convolutions of data2vec-audio: each makes padded frames non-zero, and
  the next reads them, so they are zero again after each;
- the batch norm before HuBERT's positional convolution (`conv_pos_batch_norm`): its shift fills
  the padding, which is emptied again.
A model with a further group, batch or instance norm is not mended: its batches hold one length.
What else may mix frames is not looked for; `gensr extract --verify` would show it.

Letters: B clips, C channels, F frames (padded), L width, m frames of the shortest clip.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gensr.features.encoders.pooling import Frames

_ALIGNED = 8
"""Numbers from row to row of a mask: CUDA's memory-efficient attention wants a multiple of it."""
_BOOLEAN_MASKS = ("wavlm",)
"""Families whose layers take (B, F) and make of it what their attention needs."""
_MIXES_FRAMES = (nn.GroupNorm, nn.BatchNorm1d, nn.InstanceNorm1d)
"""Norms over time: in an encoder, each is one of those above or unknown."""


def masked_group_norm(
    x: Tensor, frames: Frames, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """Group norm of one channel a group, each clip by its valid frames alone; overwrites `x`.

    This is the largest tensor of the network (512 channels, 3200 frames a second), so there is
    one temporary of its size, and masks touch only frames past the shortest clip's last. The
    variance is that of centred values: no difference of large squares.

    Args:
        x: (B, C, F); what stands in padded frames does not matter.
        frames: valid frames of each clip.
        weight: (C,) or none.
        bias: (C,) or none.
        eps: added to the variance.

    Returns:
        (B, C, F), `x` itself: normalised in float32 (float64 where x is), kept in its dtype.
    """
    exact = torch.promote_types(x.dtype, torch.float32)
    m, count = frames.shortest, frames.counts[:, None]  # count is (B, 1)
    padded = frames.padded(m, x.shape[2])[:, None]  # (B, 1, F - m)
    total = x[:, :, :m].sum(dim=2, dtype=exact)  # (B, C)
    total += x[:, :, m:].masked_fill(padded, 0.0).sum(dim=2, dtype=exact)
    centred = x - (total / count)[:, :, None]  # in `exact`, as the means are
    centred[:, :, m:].masked_fill_(padded, 0.0)
    variance = torch.linalg.vector_norm(centred, dim=2).square() / count
    scale = torch.rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight.to(exact)
    shift = torch.zeros_like(scale[0]) if bias is None else bias.to(exact)
    return torch.addcmul(shift[:, None], centred, scale[:, :, None], out=x)


class MaskedGroupNorm(nn.GroupNorm):
    """A model's own group norm, with its own weights, that can be told what is padding."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__(norm.num_groups, norm.num_channels, norm.eps, affine=False)
        self.weight, self.bias = norm.weight, norm.bias
        self.frames: Frames | None = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name for it
        """(B, C, F) to (B, C, F); `input` is overwritten where there is padding."""
        if self.frames is None:
            return super().forward(input)
        return masked_group_norm(input, self.frames, self.weight, self.bias, self.eps)


class Padding:
    """What was mended in one model, and what is padding during one forward.

    Args:
        model: its encoder and the encoder's layers are told of padding from now on.
    """

    def __init__(self, model: Any) -> None:
        self.mended: set[nn.Module] = set()
        self._norms: list[MaskedGroupNorm] = []
        self._frames: Frames | None = None
        self._mask: Tensor | None = None
        self._boolean = model.config.model_type in _BOOLEAN_MASKS
        model.encoder.register_forward_pre_hook(self._begin)
        for layer in model.encoder.layers:
            layer.register_forward_pre_hook(self._attend, with_kwargs=True)

    @contextmanager
    def masked(self, first: Frames, last: Frames) -> Iterator[None]:
        """Keep padding out of all that runs inside.

        Args:
            first: valid frames behind the first convolution.
            last: valid frames behind the last, those of the transformer.
        """
        self._set(first, last)
        try:
            yield
        finally:
            self._set(None, None)

    def swap_norm(self, layer: Any) -> None:
        """Replace a convolution layer's group norm by one that knows of padding."""
        layer.layer_norm = MaskedGroupNorm(layer.layer_norm)
        self._norms.append(layer.layer_norm)
        self.mended.add(layer.layer_norm)

    def rezero_after(self, module: nn.Module) -> None:
        """Empty the padded frames of what a module returns, (B, C, F)."""
        module.register_forward_hook(self._rezero)
        self.mended.add(module)

    def _set(self, first: Frames | None, last: Frames | None) -> None:
        self._frames, self._mask = last, None
        for norm in self._norms:
            norm.frames = first

    def _begin(self, encoder: nn.Module, args: Any) -> None:
        """Empty the padded frames of the transformer's input, (B, F, L); make the mask."""
        if self._frames is None:
            return
        hidden: Tensor = args[0]
        start, stop = self._frames.shortest, hidden.shape[1]
        hidden[:, start:].masked_fill_(self._frames.padded(start, stop)[:, :, None], 0.0)
        self._mask = self._mask_for(hidden)

    def _mask_for(self, hidden: Tensor) -> Tensor:
        """Return what the layers of (B, F, L) take: which frames may be attended to."""
        assert self._frames is not None
        padded = self._frames.padded(0, hidden.shape[1])  # (B, F)
        if self._boolean:
            return ~padded
        # Added to the scores of all heads and queries. As numbers, once: of booleans each layer's
        # attention would make these numbers again, and of rows that begin anywhere a copy.
        clips, frames = padded.shape
        room = (clips, 1, 1, -(-frames // _ALIGNED) * _ALIGNED)
        mask = torch.zeros(room, dtype=hidden.dtype, device=hidden.device)[..., :frames]
        return mask.masked_fill_(padded[:, None, None], -torch.inf)  # (B, 1, 1, F)

    def _attend(self, layer: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        """Give a layer the mask, in place of none."""
        return None if self._mask is None else (args, {**kwargs, "attention_mask": self._mask})

    def _rezero(self, module: nn.Module, args: Any, output: Tensor) -> Tensor:
        if self._frames is not None:
            start, stop = self._frames.shortest, output.shape[2]
            padded = self._frames.padded(start, stop)[:, None]  # (B, 1, F - m)
            output[:, :, start:].masked_fill_(padded, 0.0)
        return output


def mend_padding(model: Any) -> Padding | None:
    """Mend a model in place, once.

    Args:
        model: a transformers model of the wav2vec 2.0 kind, in eval mode.

    Returns:
        What to tell of each batch's padding; none where a norm over time is left that cannot
        be mended, so that only clips of one length may share a batch.
    """
    padding = Padding(model)
    front = model.feature_extractor.conv_layers[0]
    norm = getattr(front, "layer_norm", None)
    if isinstance(norm, nn.GroupNorm) and norm.num_groups == norm.num_channels:
        padding.swap_norm(front)
    position = model.encoder.pos_conv_embed
    for layer in getattr(position, "layers", ()):
        padding.rezero_after(layer)
    batch_norm = getattr(position, "batch_norm", None)
    if isinstance(batch_norm, nn.BatchNorm1d):
        padding.rezero_after(batch_norm)
    mixes = [module for module in model.modules() if isinstance(module, _MIXES_FRAMES)]
    return padding if padding.mended.issuperset(mixes) else None
