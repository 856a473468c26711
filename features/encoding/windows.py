"""Windows: what is longer than an encoder is given at once is cut, and averaged by frames.

Attention costs memory by the square of a clip's length, and encoders are trained on utterances;
so a clip longer than `longest` is encoded in parts: as many of that length as there are, then
the rest. Equal parts would be worse: averages depend on the length that is encoded (Whisper's
most of all), so a clip of 31 s would be far from one of 30 s; and the frames of a part that
begins anywhere are other frames than the whole clip's. Only a rest of less than a second takes
some of the part before, as it would be heard without context. Windows do not overlap: every
frame counts once. What this does to the vectors is measured in docs/results/windows.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoding.batching import plan_batches

FRAME = 320
"""Samples from one frame of an encoder to the next, 20 ms: windows begin where a frame does."""


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

        Clips that are cut come last, few at a time: each is wanted whole in memory, and only
        from its first window to its last.

        Args:
            lengths: samples of each clip.
        """
        short = [clip for clip, samples in enumerate(lengths) if samples <= self.longest]
        runs = [short] if short else []
        held = self.batch_samples
        for clip in sorted(set(range(len(lengths))) - set(short), key=lambda i: (lengths[i], i)):
            if held >= self.batch_samples:
                runs.append([])
                held = 0
            runs[-1].append(clip)
            held += lengths[clip]
        return [batch for run in runs for batch in self._batches(run, lengths)]

    def _batches(self, clips: Sequence[int], lengths: Sequence[int]) -> list[list[Window]]:
        windows = [
            Window(clip, start, stop)
            for clip in clips
            for start, stop in cut(lengths[clip], self.longest)
        ]
        batches = plan_batches(
            [len(window) for window in windows],
            batch_samples=self.batch_samples,
            equal_lengths=self.equal_lengths,
        )
        return [[windows[index] for index in batch] for batch in batches]


def cut(samples: int, longest: int) -> list[tuple[int, int]]:
    """Divide a clip into parts of `longest` samples, a multiple of a frame's, and a rest.

    >>> cut(100_000, 40_000)
    [(0, 40000), (40000, 80000), (80000, 100000)]
    >>> cut(80_001, 40_000)  # the rest is a second, and what is left of a frame
    [(0, 40000), (40000, 64000), (64000, 80001)]
    """
    edges = [*range(0, samples, longest), samples]
    shortest = min(SAMPLE_RATE, longest // 2)
    if len(edges) > 2:
        edges[-2] = min(edges[-2], (samples - shortest) // FRAME * FRAME)
    return list(pairwise(edges))
