"""A listener to a stage's progress, as the command line has one."""


class Told:
    """Hears a stage, and stops everything at its n-th word if asked to."""

    def __init__(self, stop_in: str = "", after: int = 1) -> None:
        self.stages: list[tuple[str, int]] = []
        self.units: list[int] = []
        self._stop_in, self._left = stop_in, after

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        self.stages.append((name, units))
        self.units.append(0)

    def advance(self, units: int, seconds: float = 0.0) -> None:
        self.units[-1] += units
        if self.stages[-1][0] == self._stop_in:
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt
