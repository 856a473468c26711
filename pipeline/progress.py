"""How a stage says how far it is, to whoever listens; the stages themselves print nothing."""

from typing import Protocol


class Listener(Protocol):
    """Always called from the thread that called the stage."""

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        """A stage of so many units (clips, steps) begins; `seconds` is its audio, if known."""

    def advance(self, units: int, seconds: float = 0.0) -> None:
        """So many more units, and seconds of audio, are through."""


class Silent:
    """Listens, and does nothing."""

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        """Nothing."""

    def advance(self, units: int, seconds: float = 0.0) -> None:
        """Nothing."""
