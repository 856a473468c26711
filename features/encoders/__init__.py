"""Frozen speech encoders behind one interface; nothing here imports torch before it is used."""

from gensr.features.encoders.base import BOUNDS, Encoder, NotFiniteError
from gensr.features.encoders.load import DEFAULT_ENCODER, load_encoder
from gensr.features.encoders.memory import EncoderMemoryError, enough_memory

__all__ = [
    "BOUNDS",
    "DEFAULT_ENCODER",
    "Encoder",
    "EncoderMemoryError",
    "NotFiniteError",
    "enough_memory",
    "load_encoder",
]
