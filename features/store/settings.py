"""What a store's vectors depend on: what all its rows share, and whoever adds to it must too."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from gensr.features.store.schema import Header


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is the same for all rows of a store.

    Whoever fills one may know more that a resumed run must share (how clips are put into
    batches, say): fields of a class derived from this one.
    """

    encoder: Mapping[str, Any]
    """Which encoder makes the vectors, as the header notes it; of JSON types."""
    layers: tuple[str, ...]
    """Names along axis 1 of the vectors; x1, the encoder's output, is last."""
    width: int
    """Length of one vector."""
    dtype: str
    """Type of the stored vectors, one of `schema.DTYPES`."""
    preprocessing: Mapping[str, Any]
    """How a file becomes 16 kHz mono samples; of JSON types."""
    shard_clips: int
    """Rows of one shard."""

    @classmethod
    def of(cls, header: Header) -> "Settings":
        """Return what a store was made with."""
        return Settings(
            encoder=header.encoder,
            layers=header.layers,
            width=header.width,
            dtype=header.dtype,
            preprocessing=header.preprocessing,
            shard_clips=header.shard_clips,
        )

    def as_plain(self) -> dict[str, Any]:
        """Return them as plans have them, JSON types only."""
        return asdict(self) | {"layers": list(self.layers)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `as_plain` gave."""
        return cls(**{**plain, "layers": tuple(plain["layers"])})
