"""State of a training that can be killed at any moment: written whole or not at all.

A line with the hash of all that follows it, then what torch saves. Read with
`weights_only=True`: tensors and plain values, never code. A file without that line is of
version 0.1.0: its archive's own checksums stand in for the hash.
"""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gensr.estimator.errors import RunError, one_line
from gensr.estimator.files import read_whole, write_whole

FIRST = b"gensr checkpoint, sha256 "


class Checkpoint:
    """Model, running average and optimizer of one training.

    Args:
        model: the network being trained.
        average: its running average.
        optimizer: its optimizer.
        settings: what the training was asked to do; a file of other settings is refused.
    """

    def __init__(
        self, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, settings: str
    ) -> None:
        self._parts: dict[str, nn.Module | torch.optim.Optimizer] = {
            "model": model,
            "average": average,
            "optimizer": optimizer,
        }
        self._settings = settings

    def save(self, path: Path, log: list[tuple[Any, ...]]) -> None:
        """Write everything, whole or not at all.

        Raises:
            RunError: there is no room, or no permission.
        """
        state = {name: part.state_dict() for name, part in self._parts.items()}
        saved = io.BytesIO()
        torch.save({**state, "settings": self._settings, "log": log}, saved)
        digest = hashlib.sha256(saved.getbuffer()).hexdigest().encode()
        write_whole(path, b"".join([FIRST, digest, b"\n", saved.getbuffer()]))

    def load(self, path: Path) -> list[tuple[Any, ...]]:
        """Restore everything from `path` and return the log.

        Raises:
            RunError: the file is damaged, or of other settings.
        """
        try:
            state = torch.load(
                io.BytesIO(_sound(read_whole(path))), map_location="cpu", weights_only=True
            )
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


def _sound(data: bytes) -> memoryview:
    """Return what torch saved, once it is sure that all of it is as it was written."""
    if data.startswith(FIRST):
        digest, saved = data[len(FIRST) :][:64], memoryview(data)[len(FIRST) + 65 :]
        if hashlib.sha256(saved).hexdigest().encode() != digest:
            raise ValueError("its bytes are not those that were written")
        return saved
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        broken = archive.testzip()
    if broken is not None:
        raise ValueError(f"{broken} is not as it was written")
    return memoryview(data)
