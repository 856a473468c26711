"""What FFmpeg's time stamps say, held against the samples that came."""

import math
from typing import Any

from gensr.features.audio.errors import AudioError

_GAP_SECONDS = 0.25
"""Time stamps and samples may be apart by so much: they are rounded, and capture cards wander."""
_LATE_SECONDS = 0.1
"""The sound may begin so much later than the picture: an encoder's delay is up to 0.07 s."""
_END_SECONDS = 1.0
"""A container may be so much longer than any of its streams."""


class Times:
    """What the time stamps say, in s."""

    def __init__(self) -> None:
        self.first, self.end = math.nan, math.nan
        """Of the frames that were decoded."""
        self.last_packet = 0.0
        """End of the last packet of any stream."""

    def late(self, container: Any) -> float:
        """Return how much later than the file its sound begins, in s."""
        start = float(container.start_time) / 1e6 if container.start_time else 0.0
        return 0.0 if math.isnan(self.first) else self.first - start


def check_clock(late: float, convert: str) -> None:
    """Refuse a part by time where the file's clock and its sound's are two.

    Players show the file's; a WAV that was made of it has the sound's. Whoever wrote down where a
    part begins went by one of them, and which nobody knows.
    """
    if late > _LATE_SECONDS:
        raise AudioError(
            f"its sound begins {late:.2f} s after the file, so a part's times may be meant from "
            f"either; {convert}, and count from the WAV's beginning"
        )


def check_times(container: Any, stream: Any, times: Times, held: float, convert: str) -> None:
    """Hold what was decoded against the time stamps and against what the container promises."""
    if times.end - times.first > held + _GAP_SECONDS:
        raise AudioError(
            f"a hole in the audio: {held:.2f} s of sound, in {times.end - times.first:.2f} s by its"
            f" time stamps; {convert}"
        )
    promised = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if stream.duration and promised > held + _GAP_SECONDS + 0.01 * promised:
        raise AudioError(
            f"truncated: the header promises {promised:.2f} s, the file holds {held:.2f} s"
        )
    whole = float(container.duration) / 1e6 if container.duration else 0.0
    start = float(container.start_time) / 1e6 if container.start_time else 0.0
    if whole > times.last_packet - start + _END_SECONDS + 0.05 * whole:
        raise AudioError(
            f"truncated: the header promises {whole:.2f} s, all streams end by "
            f"{times.last_packet - start:.2f} s"
        )
