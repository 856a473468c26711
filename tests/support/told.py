"""A listener to a stage's progress, as the command line has one."""

import threading


class Told:
    """Hears a stage, and stops everything at its n-th word if asked to."""

    def __init__(self, stop_in: str = "", after: int = 1) -> None:
        self.stages: list[tuple[str, int]] = []
        """Name of each stage, and how many units it was to have."""
        self.promised: list[float] = []
        """How many seconds of audio each was to have."""
        self.units: list[int] = []
        self.seconds: list[float] = []
        self.words: list[int] = []
        """How often each stage advanced."""
        self.threads: set[int] = set()
        self._stop_in, self._left = stop_in, after

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        self.stages.append((name, units))
        self.promised.append(seconds)
        self.units.append(0)
        self.seconds.append(0.0)
        self.words.append(0)

    def advance(self, units: int, seconds: float = 0.0) -> None:
        self.threads.add(threading.get_ident())
        self.units[-1] += units
        self.seconds[-1] += seconds
        self.words[-1] += 1
        if self.stages[-1][0] == self._stop_in:
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt
