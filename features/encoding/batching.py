"""Which clips run together: few padded samples, and the same answer every time.

A batch's composition changes the last bits of a vector. So batches follow from the lengths and
the settings alone, never from what is already done: a resumed store is byte-equal to one made
in one go.
"""

from collections.abc import Sequence

from gensr.estimator.errors import ConfigError

MAX_PADDING = 0.05
"""Ours: at most this share of a batch's samples is padding."""


def plan_batches(
    lengths: Sequence[int], *, batch_samples: int, equal_lengths: bool
) -> list[list[int]]:
    """Group clips of similar length.

    Clips are taken from short to long; a batch ends where one more clip would exceed
    `batch_samples`, or leave more than 5 % of the batch as padding.

    Args:
        lengths: samples of each clip.
        batch_samples: upper bound of a batch's padded size, longest clip times count; a single
            clip that exceeds it is a batch of its own.
        equal_lengths: every batch holds clips of one length only.

    Returns:
        Batches of indices into `lengths`; each index once, short clips first.

    >>> plan_batches([800, 400, 401, 400], batch_samples=1600, equal_lengths=False)
    [[1, 3, 2], [0]]
    """
    if batch_samples < 1:
        raise ConfigError(f"batch_samples is at least 1, not {batch_samples}")
    batches: list[list[int]] = []
    batch: list[int] = []
    held = 0  # samples in the batch without padding
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        longest = lengths[index]  # sorted: the newcomer is never shorter than the batch
        padded = longest * (len(batch) + 1)
        padding = padded - held - longest
        full = padded > batch_samples or padding > MAX_PADDING * padded
        if batch and (full or (equal_lengths and longest != lengths[batch[0]])):
            batches.append(batch)
            batch, held = [], 0
        batch.append(index)
        held += longest
    if batch:
        batches.append(batch)
    return batches
