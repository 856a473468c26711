"""One small store and a few small runs, made once; whoever changes one copies it first."""

import shutil
from pathlib import Path

import pytest

from gensr.estimator.device import threads_for
from support import tones


@pytest.fixture(autouse=True)
def _one_thread():
    with threads_for(0):
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """Where the shared corpus, store and runs lie."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="session")
def corpus(made) -> Path:
    """36 clips: four speakers, three emotions, three sentences; says it is EmoDB."""
    return tones.write_corpus(made / "corpus")


@pytest.fixture(scope="session")
def fbank():
    """fbank(corpus, out) -> out: extracted."""
    from gensr.pipeline.extraction.extract import ExtractConfig, extract

    def run(corpus: Path, out: Path) -> Path:
        extract(corpus, out, ExtractConfig(encoder="fbank", shard_clips=16))
        return out

    return run


@pytest.fixture(scope="session")
def store(corpus, made, fbank) -> Path:
    return fbank(corpus, made / "tones.zarr")


@pytest.fixture(scope="session")
def tiny(made) -> Path:
    """A TOML file of small sizes."""
    path = made / "tiny.toml"
    path.write_text(tones.TINY)
    return path


@pytest.fixture(scope="session")
def fit(store, tiny):
    """fit(folder, *stores, **TrainConfig and train's own) -> TrainReport."""
    from gensr.pipeline.training.config import TrainConfig
    from gensr.pipeline.training.train import train

    def run(folder, *stores, resume=False, overwrite=False, progress=None, **config):
        settings = {"model": "gen-ser", "steps": 12, "settings": tiny, "device": "cpu"} | config
        return train(
            stores or [store],
            TrainConfig(**settings),
            folder=folder,
            resume=resume,
            overwrite=overwrite,
            progress=progress,
        )

    return run


@pytest.fixture(scope="session")
def finished(made, fit) -> Path:
    """A run of Gen-SER over all four folds."""
    with threads_for(0):
        return fit(made / "runs/gen-ser").run.folder


@pytest.fixture(scope="session")
def deployed(made, fit) -> Path:
    """A run that learnt from every clip."""
    with threads_for(0):
        return fit(made / "runs/deployed", fold="none").run.folder


@pytest.fixture(scope="session")
def linear(made, fit) -> Path:
    """A run of the linear baseline over all four folds."""
    settings = made / "linear.toml"
    settings.write_text(tones.TINY[tones.TINY.index("[training]") :])
    with threads_for(0):
        return fit(made / "runs/linear", model="linear", settings=settings).run.folder


@pytest.fixture
def copied(tmp_path):
    """copied(run) -> a copy of it, to be changed."""
    return lambda run: Path(shutil.copytree(run, tmp_path / f"copy-of-{run.name}"))
