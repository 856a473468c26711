"""How a stage says how far it is, to whoever listens; the stages themselves print nothing."""

from collections.abc import Iterable
from typing import Protocol


class Listener(Protocol):
    """Always called from the thread that called the stage."""

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        """A stage of so many units (clips, steps) begins; `seconds` is its audio, if known."""

    def advance(self, units: int, seconds: float = 0.0) -> None:
        """So many more units, and seconds of audio, are through."""


def say(listener: Listener, lines: Iterable[str]) -> list[str]:
    """Say lines at once to a listener that has a method `note`; return those left to say."""
    note = getattr(listener, "note", None)
    if note is None:
        return list(lines)
    for line in lines:
        note(line)
    return []


class Silent:
    """Listens, and does nothing."""

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        """Nothing."""

    def advance(self, units: int, seconds: float = 0.0) -> None:
        """Nothing."""
