"""State of a training that can be killed at any moment: written whole or not at all.

A line with the hash of all that follows it, then what torch saves. Read with
`weights_only=True`: tensors and plain values, never code.
"""

import hashlib
import io
from pathlib import Path
from typing import Any, Protocol

import torch

from gensr.estimator.errors import RunError, one_line
from gensr.estimator.files import read_whole, write_whole

FIRST = b"gensr checkpoint, sha256 "


class Stateful(Protocol):
    """What a checkpoint keeps."""

    def state_dict(self) -> dict[str, Any]:
        """Everything, by name."""

    def load_state_dict(self, state: Any) -> Any:
        """Take it back."""


class Checkpoint:
    """Model, running average and optimizer of one training.

    Args:
        model: the network being trained, or several.
        average: its running average.
        optimizer: its optimizer.
        settings: what the training was asked to do; a file of other settings is refused.
    """

    def __init__(
        self, model: Stateful, average: Stateful, optimizer: Stateful, settings: str
    ) -> None:
        self._parts = {"model": model, "average": average, "optimizer": optimizer}
        self._settings = settings

    def save(self, path: Path, log: list[tuple[Any, ...]]) -> None:
        """Write everything, whole or not at all.

        Raises:
            RunError: there is no room, or no permission.
        """
        state = {name: part.state_dict() for name, part in self._parts.items()}
        write_state(path, {**state, "settings": self._settings, "log": log})

    def load(self, path: Path) -> list[tuple[Any, ...]]:
        """Restore everything from `path` and return the log.

        Raises:
            RunError: the file is damaged, or of other settings.
        """
        try:
            state = read_state(path)
            found, log = str(state["settings"]), [tuple(entry) for entry in state["log"]]
            if found == self._settings:
                for name, part in self._parts.items():
                    part.load_state_dict(state[name])
        except RunError:
            raise
        except Exception as error:
            raise RunError(
                f"{path} is damaged ({one_line(error)}); remove it, and --resume trains its fold "
                "from the beginning"
            ) from error
        if found != self._settings:
            raise RunError(
                f"{path}: made with [{found}], asked for [{self._settings}]; remove it, and "
                "--resume trains its fold from the beginning"
            )
        return log


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all.

    Raises:
        RunError: there is no room, or no permission.
    """
    saved = io.BytesIO()
    torch.save(state, saved)
    digest = hashlib.sha256(saved.getbuffer()).hexdigest().encode()
    write_whole(path, b"".join([FIRST, digest, b"\n", saved.getbuffer()]))


def read_state(path: Path) -> dict[str, Any]:
    """Read what `write_state` wrote.

    Raises:
        ValueError, and whatever torch raises: it is not that.
        RunError: the system refuses it.
    """
    saved = io.BytesIO(_sound(read_whole(path)))
    state: dict[str, Any] = torch.load(saved, map_location="cpu", weights_only=True)
    return state


def _sound(data: bytes) -> memoryview:
    """Return what torch saved, once it is sure that all of it is as it was written."""
    digest, saved = data[len(FIRST) :][:64], memoryview(data)[len(FIRST) + 65 :]
    if not data.startswith(FIRST) or hashlib.sha256(saved).hexdigest().encode() != digest:
        raise ValueError("its bytes are not those that were written")
    return saved
