"""Windows: what is longer than an encoder is given at once is cut evenly, and averaged by frames.

Attention costs memory by the square of a clip's length, and encoders are trained on utterances;
so a clip longer than `longest` is encoded in parts. The parts are equally long (to a sample),
as a last part of a few frames would have been heard without context, and they do not overlap,
so every frame counts once. What this does to the vectors is measured in
docs/results/windows.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gensr.features.batching import plan_batches


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one clip; mostly the whole of it."""

    clip: int
    """Index among the clips that were planned together."""
    start: int
    """First sample."""
    stop: int
    """One past the last sample."""

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How clips become batches: all that a clip's batch-mates depend on, beside their lengths."""

    batch_samples: int
    """Samples of one batch, padding included."""
    longest: int
    """Samples of one window."""
    equal_lengths: bool
    """Whether a batch holds windows of one length only."""

    def plan(self, lengths: Sequence[int]) -> list[list[Window]]:
        """Cut clips into windows and group the windows of similar length.

        Args:
            lengths: samples of each clip.
        """
        windows = [
            Window(clip, start, stop)
            for clip, samples in enumerate(lengths)
            for start, stop in cut(samples, self.longest)
        ]
        batches = plan_batches(
            [len(window) for window in windows],
            batch_samples=self.batch_samples,
            equal_lengths=self.equal_lengths,
        )
        return [[windows[index] for index in batch] for batch in batches]


def cut(samples: int, longest: int) -> list[tuple[int, int]]:
    """Divide a clip into the fewest parts of at most `longest` samples, equal to a sample.

    >>> cut(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    """
    parts = -(-samples // longest)
    edges = [samples * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))
