"""Small encoders of every family, made once and loaded once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.checkpoints import KINDS, save_checkpoint


@pytest.fixture(scope="session", params=[kind for kind in KINDS if kind != "whisper"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind that reads waveforms, one after the other."""
    return str(request.param)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of a small encoder of a kind, made once."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind) / kind
            save_checkpoint(kind, made[kind])
        return made[kind]

    return make


@pytest.fixture(scope="session")
def loaded(checkpoint: Callable[[str], Path]) -> Callable[[str], Any]:
    """The encoder of a kind, on the CPU, loaded once."""
    from gensr.features.encoders import load_encoder

    made: dict[str, Any] = {}

    def get(kind: str) -> Any:
        if kind not in made:
            made[kind] = load_encoder(str(checkpoint(kind)), device="cpu")
        return made[kind]

    return get
