"""Frozen speech encoders behind one interface; nothing here imports torch before it is used."""

from gensr.features.encoders.base import Encoder
from gensr.features.encoders.load import DEFAULT_ENCODER, load_encoder

__all__ = ["DEFAULT_ENCODER", "Encoder", "load_encoder"]
