"""Where the vectors are while they are learnt from changes no weight."""

from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from gensr.estimator.errors import ConfigError, GensrError
from gensr.estimator.order import Order
from gensr.features.store.convert import convert
from gensr.pipeline.training import clips as clips_stage
from gensr.pipeline.training import memory, streamed
from gensr.pipeline.training.streamed import Streamed
from gensr.pipeline.training.vectors import open_vectors
from support import tones
from support.loaded import load_vectors
from support.told import Told

WINDOWS = "batch_size = 4\nwindow = 16\nblock = 4\n"
"""Of 27 clips or so that a fold learns from: two windows, of blocks across shards."""


@pytest.fixture(scope="module")
def few(made) -> Path:
    """Settings with which an epoch takes several windows."""
    path = made / "windows.toml"
    path.write_text(tones.TINY.replace("batch_size = 8\n", WINDOWS))
    return path


def result(run: Path) -> dict[str, bytes]:
    return {
        path.relative_to(run).as_posix(): path.read_bytes()
        for pattern in ("*.safetensors", "metrics.jsonl", "predictions.csv")
        for path in run.rglob(pattern)
    }


@pytest.mark.parametrize("choose", ["beforehand", "looks"])
def test_streamed_or_held_zarr_or_hdf5_the_run_is_the_same(choose, few, fit, store, made, tmp_path):
    hdf5 = tmp_path / "tones.h5"
    convert(store, hdf5)
    how = {"settings": few, "fold": "2", "choose": choose}
    held = fit(tmp_path / "held", stream=False, **how).run.folder
    assert result(held)
    for name, where in (("zarr", store), ("hdf5", hdf5)):
        run = fit(tmp_path / name, where, stream=True, **how).run.folder
        assert result(run) == result(held)
    assert result(fit(tmp_path / "hdf5-held", hdf5, stream=False, **how).run.folder) == result(held)


def test_all_folds_are_streamed_as_well(few, fit, finished, tmp_path):
    run = fit(tmp_path / "run", stream=True).run.folder
    assert set(result(run)) == set(result(finished))


def test_a_streamed_training_that_was_killed_goes_on(few, fit, tmp_path):
    how = {"settings": few, "fold": "2", "stream": True}
    whole = fit(tmp_path / "whole", **how).run.folder

    class Stops:
        def stage(self, name, units, seconds=0.0):
            pass

        def advance(self, units, seconds=0.0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", progress=Stops(), **how)
    assert (tmp_path / "run/folds/2/learn.checkpoint").is_file()
    fit(tmp_path / "run", resume=True, **(how | {"stream": False}))  # and where it lies may change
    assert result(tmp_path / "run") == result(whole)


def test_windows_and_blocks_hold_the_vectors_of_their_clips(store):
    expected = load_vectors([store])
    rows = np.random.default_rng(0).permutation(36)[:30]
    y = torch.arange(30)
    with open_vectors([store]) as vectors:
        source = Streamed(vectors, rows, y, torch.device("cpu"))
        np.testing.assert_array_equal(source.whole().numpy(), expected.x[rows])
        rising = Streamed(vectors, np.sort(rows), y, torch.device("cpu"))
        np.testing.assert_array_equal(rising.whole().numpy(), expected.x[np.sort(rows)])
        some = torch.tensor([4, 2, 4])
        np.testing.assert_array_equal(source.batch(some).numpy(), expected.x[rows[some]])
        order = Order(n=30, batch=4, window=16, block=4, seed=0)
        step = 1
        with closing(source.windows(order, step)) as windows:
            for window in islice(windows, 8):
                for shown, labels in zip(window.rows, window.y, strict=True):
                    wanted = order.rows(step)
                    found = window.take(shown).numpy()
                    np.testing.assert_array_equal(found, expected.x[rows[wanted]])
                    assert torch.equal(labels, y[wanted])
                    step += 1
        assert step > 20


def test_vectors_that_memory_does_not_hold_are_streamed(fit, store, tmp_path, monkeypatch):
    made = []
    real = streamed.Streamed

    def noted(*args, **kwargs):
        made.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(streamed, "Streamed", noted)
    fit(tmp_path / "held", fold="1")
    assert not made
    monkeypatch.setattr(memory, "free", lambda device: 36 * 11 * 80 * 4 * 2 - 1)
    fit(tmp_path / "streamed", fold="1")
    assert made
    made.clear()
    fit(tmp_path / "told", fold="1", stream=False)
    assert not made


def test_free_memory_is_what_the_group_leaves(tmp_path, monkeypatch):
    own, cpu = tmp_path / "own", torch.device("cpu")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path)
    monkeypatch.setattr(memory, "_OWN", own)
    assert memory.free(cpu) > 2**26
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert memory.free(cpu) > 2**26
    (tmp_path / "memory.max").write_text("9000\n")
    assert memory.free(cpu) == 8000
    job = tmp_path / "slurm/job_7"
    job.mkdir(parents=True)
    own.write_text("0::/slurm/job_7\n")
    (job.parent / "memory.max").write_text("5000")
    (job.parent / "memory.current").write_text("4000")
    assert memory.free(cpu) == 1000
    (job.parent / "memory.stat").write_text("anon 5\ninactive_file 500\n")  # given back at once
    assert memory.free(cpu) == 1500
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert memory.free(cpu) == 500


def test_limits_of_the_older_kind_count_too(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_GROUPS", tmp_path)
    monkeypatch.setattr(memory, "_OWN", tmp_path / "own")
    (tmp_path / "own").write_text("4:memory:/job\n3:cpu:/other\n")
    (tmp_path / "memory/job").mkdir(parents=True)
    (tmp_path / "memory/job/memory.limit_in_bytes").write_text("3000")
    (tmp_path / "memory/job/memory.usage_in_bytes").write_text("3500")
    assert memory.free(torch.device("cpu")) == 0


def test_what_memory_cannot_hold_is_one_line(fit, store, tmp_path, monkeypatch):
    empty = torch.empty

    def none(*shape, **how):
        if shape == (36, 11, 80):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return empty(*shape, **how)

    monkeypatch.setattr(clips_stage.torch, "empty", none)
    with pytest.raises(ConfigError, match=r"not enough memory on cpu for 36 clips.*--no-stream"):
        fit(tmp_path / "run", stream=False)


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True)])
def test_folds_of_a_killed_run_go_on_wherever_vectors_are(first, then, few, fit, tmp_path):
    """Several folds are trained together either way."""
    whole = fit(tmp_path / "whole", settings=few, stream=then).run.folder
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", settings=few, stream=first, progress=Told("4 folds", after=2))
    fit(tmp_path / "run", settings=few, stream=then, resume=True)
    assert result(tmp_path / "run") == result(whole)


def test_a_shard_that_is_damaged_meanwhile_is_one_line(few, fit, store, tmp_path):
    hdf5 = tmp_path / "t.h5"
    convert(store, hdf5)
    data = bytearray(hdf5.read_bytes())
    with open_vectors([hdf5]) as vectors:
        block = np.empty((1, *vectors.shape), np.float32)
        vectors.read(np.array([20]), block)
    at = bytes(data).find(block[0, 3].tobytes())
    data[at] ^= 1
    hdf5.write_bytes(data)
    with pytest.raises(GensrError, match=r"cannot be read|hash"):
        fit(tmp_path / "run", hdf5, settings=few, fold="2", stream=True)
