"""Where an encoder runs: what an extraction asks of this process, or of a cluster.

Whichever it is, the same shards are encoded in the same batches, so a store does not tell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gensr.features.encoding.encode import Clips
from gensr.features.encoding.windows import Batching
from gensr.features.hearing.verdict import Verdict
from gensr.features.store.where import Where
from gensr.features.store.writing import Writing
from gensr.pipeline.extraction.settings import ExtractionSettings
from gensr.pipeline.progress import Listener


class Executor(Protocol):
    """A place with an encoder; used under `with`, by one thread."""

    @property
    def notes(self) -> Sequence[str]:
        """Lines worth saying before the work begins."""

    def settings(self, root: Path, work: Where) -> ExtractionSettings:
        """Return what the config and the encoder come to, where it runs.

        Args:
            root: the corpus.
            work: the work folder of the store, which is there already.
        """

    def decoders(self) -> Mapping[str, str]:
        """Return the libraries that `hear` files elsewhere: verdicts hold for those alone."""

    def hear(
        self, paths: Iterable[Path], known: Mapping[str, Verdict]
    ) -> Iterator[tuple[str, Verdict]]:
        """Yield the hash of each file's bytes, and what decoding them gives."""

    def encode(
        self, root: Path, settings: ExtractionSettings, writing: Writing, listener: Listener
    ) -> None:
        """Encode, write and mark every shard of `writing.pending`; a stage of its own."""

    def alone(self, clips: Clips, batching: Batching) -> NDArray[np.float32]:
        """Encode clips window by window, (clips, layers, width): nothing shares a batch."""
