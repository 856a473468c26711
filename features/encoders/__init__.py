"""Frozen speech encoders behind one interface; each name is imported when it is asked for.

So the registry beside can be read, as `--help` does, without numpy or torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

if not TYPE_CHECKING:  # a type checker would take any name then
    _HOMES = {
        "base": ("BOUNDS", "Encoder", "NotFiniteError"),
        "load": ("DEFAULT_ENCODER", "load_encoder"),
        "memory": ("EncoderMemoryError", "enough_memory"),
    }

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{home}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
