"""What a precision costs on the device at hand: a product of matrices as encoders have them, timed.

The same bfloat16 halves the time on one CPU and takes six times as long on another, which computes
it number by number; float16 is slow on nearly all. Nothing says so but a clock. A product of 128
frames with a square of weights takes a few milliseconds, and tells what an hour of encoding will.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gensr.estimator.errors import ConfigError

PRECISIONS = ("float32", "bfloat16", "float16")
SLOW = 3.0
"""From so many times float32's time on, a precision is refused unless insisted on (ours)."""
FAST = 0.67
"""Up to this share of the time of the one that was asked for, another is worth a word (ours)."""

_FRAMES, _WIDTH = 128, 768
_ROUNDS = 3
"""By turns, and the shortest of each counts: a busy machine only adds, and not to one alone."""

_SEE = "--dtype, and docs/results/precision.md for what it does to the vectors"

Seconds = Callable[[str], float]
"""From the name of a precision to the time of a product in it, infinity where there is none."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What precisions cost beside float32, on one device."""

    device: str
    """Kind of device."""
    ratios: dict[str, float]
    """Time over float32's."""

    def check(self, asked: str, setting: str = "dtype") -> None:
        """Refuse a precision that is many times slower than float32.

        Args:
            asked: its name.
            setting: what it was asked for by.

        Raises:
            ConfigError: saying how much slower, and what to do.
        """
        ratio = self.ratios[asked]
        if ratio == math.inf:
            raise ConfigError(
                f"{setting} {asked}: this {self._name} cannot compute it; use float32"
            )
        if ratio >= SLOW:
            raise ConfigError(
                f"{setting} {asked} takes about {ratio:.0f} times as long as float32 on this "
                f"{self._name} (a matrix product, timed): use float32, or insist on it by "
                "allow_slow (--allow-slow)"
            )

    def advice(self, asked: str, see: str = _SEE) -> Iterator[str]:
        """Yield a line where another precision is much faster than the one that was asked for.

        Args:
            asked: its name.
            see: what to read, and to set.
        """
        fastest = min(self.ratios, key=lambda name: self.ratios[name])
        if self.ratios[fastest] <= FAST * self.ratios[asked]:
            times = self.ratios[asked] / self.ratios[fastest]
            how = "twice as fast" if 1.75 <= times < 2.25 else f"{times:.2g} times as fast"
            yield f"this {self._name} computes {fastest} about {how} as {asked}: see {see}"

    @property
    def _name(self) -> str:
        return "CPU" if self.device == "cpu" else "GPU"


def cost_on(
    device: str, seconds: Seconds | None = None, *, names: Sequence[str] = PRECISIONS
) -> Cost:
    """Time each precision on a device: about a tenth of a second.

    Args:
        device: as torch names it, or `auto`.
        seconds: times one precision once; by default a product of matrices.
        names: which precisions, float32 among them.

    Raises:
        ConfigError: no such device here.
    """
    from gensr.estimator.device import pick_device, threads_for

    place = pick_device(device)
    measure = seconds or product_of(str(place))
    with threads_for(0):  # those of a busy machine wait for each other, and that is no precision's
        rounds = [{name: measure(name) for name in names} for _ in range(_ROUNDS)]
    found = {name: min(times[name] for times in rounds) for name in names}
    return Cost(place.type, {name: time / found["float32"] for name, time in found.items()})


def product_of(device: str, clock: Callable[[], float] = time.perf_counter) -> Seconds:
    """Make what times a product of (128, 768) with (768, 768): a layer of an encoder has such.

    Args:
        device: where.
        clock: in seconds.
    """
    import torch

    def measure(name: str) -> float:
        dtype = getattr(torch, name)
        try:
            with torch.inference_mode():
                frames = torch.ones((_FRAMES, _WIDTH), dtype=dtype, device=device)
                weights = torch.ones((_WIDTH, _WIDTH), dtype=dtype, device=device)
                weights[0, 0].item()  # a GPU has made them
                began = clock()
                torch.nn.functional.linear(frames, weights)[0, 0].item()  # and now the product
                return clock() - began
        except RuntimeError:  # no kernel for it
            return math.inf

    return measure
