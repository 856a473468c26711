"""How much audio a GPU takes at a time: as much as half of its memory holds, in coarse steps.

A forward of a large encoder is some seven hundred launches, which cost the host about ten
milliseconds whatever is in them; a fast GPU is through with 100 s of audio in five. So a batch is
as large as memory allows, up to where launches are a small share (docs/results/launches.md). It
must not follow from what happens to be free: batches decide the last bits of vectors, and a run
that is resumed shall have the same. So it follows from the size of the device and of the model
alone, in steps of two, which two cards of one kind never fall on either side of by chance.
"""

SMALLEST, LARGEST = 25.0, 800.0
"""Seconds; the largest keeps every tensor below 2^31 numbers, which kernels count in 32 bits, and
its launches at a third of the work at the highest speed there is."""

_SHARE = 0.5
"""Of a device's memory: kernels want room to work in, and batches of other shapes leave gaps."""
_ALIVE = 4
"""Tensors of the first convolution's size that are alive at once, at most; measured, see the test.
Attention that keeps all its scores (WavLM's) stays below that in windows of 30 s."""


def bytes_per_second(channels: int, stride: int, number: int, rate: int) -> int:
    """Return what a second of audio takes of a device while it passes a waveform's encoder.

    The largest tensor is what the first convolution makes, all others are smaller.

    Args:
        channels: of the first convolution.
        stride: of it, in samples.
        number: bytes of a number.
        rate: samples a second.

    >>> bytes_per_second(512, 5, 2, 16_000)
    13107200
    """
    return _ALIVE * channels * (rate // stride) * number


def seconds_that_fit(memory: int, weights: int, a_second: int) -> float:
    """Return how much audio a batch holds on a device, in seconds.

    Args:
        memory: bytes of the whole device, whoever uses them now.
        weights: bytes of the model.
        a_second: see `bytes_per_second`.

    >>> [seconds_that_fit(gib << 30, 632_000_000, 13_107_200) for gib in (4, 8, 16, 80)]
    [100.0, 200.0, 400.0, 800.0]
    """
    room = (_SHARE * memory - weights) / a_second
    found = SMALLEST
    while 2 * found <= min(room, LARGEST):
        found *= 2
    return found
