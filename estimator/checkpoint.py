"""State of a training that can be killed at any moment: written whole or not at all.

Read with `weights_only=True`: tensors and plain values, never code.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from gensr.estimator.errors import RunError


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
        """Write everything beside `path`, then rename."""
        state = {name: part.state_dict() for name, part in self._parts.items()}
        aside = path.with_name(path.name + ".new")
        torch.save({**state, "settings": self._settings, "log": log}, aside)
        aside.replace(path)

    def load(self, path: Path) -> list[tuple[Any, ...]]:
        """Restore everything from `path` and return the log.

        Raises:
            RunError: the file is damaged, or of other settings.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise RunError(f"{path}: not a checkpoint ({error}); train without --resume") from error
        if state["settings"] != self._settings:
            raise RunError(
                f"{path}: made with [{state['settings']}], asked for [{self._settings}]; "
                "train without --resume, or with the same settings"
            )
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        log: list[tuple[Any, ...]] = state["log"]
        return log
