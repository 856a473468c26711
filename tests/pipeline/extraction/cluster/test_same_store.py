"""Extraction on a real cluster of separate processes, against the same in one process."""

import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from distributed import Client

from gensr.features.encoders.errors import EncoderError
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support import stub
from support.checkpoints import KINDS, save_checkpoint
from support.command import GENSR
from support.told import Told
from support.trees import tree


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_workers_write_what_one_process_writes(name, corpus, tmp_path, settings):
    alone = extract(corpus, tmp_path / f"alone-{name}", settings(), encoder=stub.StubEncoder())
    told = Told()
    report = extract(
        corpus,
        tmp_path / name,
        settings(workers=2, verify=3),
        encoder=stub.StubEncoder(),
        progress=told,
    )
    assert report.encoded == alone.encoded == 30
    assert report.copied == alone.copied == 1
    assert [(p.path, p.reason) for p in report.failed] == [(p.path, p.reason) for p in alone.failed]
    assert report.ok
    assert report.verification.clips == 3
    with open_store(tmp_path / name) as one, open_store(tmp_path / f"alone-{name}") as other:
        assert one.fingerprint() == other.fingerprint()
        np.testing.assert_array_equal(one.vectors(), other.vectors())
    assert [stage for stage, _ in told.stages][:3] == ["survey", "encode", "verify"]
    assert told.units[:3] == [32, 30, 3]
    assert told.seconds[1] == pytest.approx(told.promised[1])
    assert told.threads == {threading.get_ident()}
    assert not (tmp_path / f"{name}.work").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "workers", "store_dtype", "bound"),
    [
        *((kind, 2, "float32", 1e-5) for kind in KINDS),
        ("hubert-large", 1, "float32", 1e-5),
        ("hubert-large", 3, "float32", 1e-5),
        ("hubert-base", 2, "float16", 2**-10),  # both sides are rounded by up to 2^-11
    ],
)
def test_an_encoder_on_workers_is_the_same_encoder(
    kind, workers, store_dtype, bound, corpus, tmp_path
):
    """Padded batches and windows on workers, against the same in one process, layer by layer."""
    save_checkpoint(kind, tmp_path / kind)
    noise = np.random.default_rng(5).normal(0, 0.1, 40_000)
    soundfile.write(corpus / "happy/long.wav", noise, 16_000)
    same = {
        "encoder": str(tmp_path / kind),
        "max_seconds": 1.0,
        "store_dtype": store_dtype,
        "batch_seconds": 0.5,
        "shard_clips": 8,
        "allow_errors": 1,
        "device": "cpu",
    }
    extract(corpus, tmp_path / "alone.zarr", ExtractConfig(**same))
    report = extract(corpus, tmp_path / "s.zarr", ExtractConfig(**same, workers=workers, verify=6))
    assert report.verification.clips == 6
    with open_store(tmp_path / "s.zarr") as one, open_store(tmp_path / "alone.zarr") as other:
        assert one.fingerprint() == other.fingerprint()
        found, expected = one.vectors(), other.vectors()
    # Not equal to the bit: one process may have more threads.
    scale = np.linalg.norm(expected, axis=-1)
    errors = (np.linalg.norm(found - expected, axis=-1) / scale).max(axis=0)
    assert len(errors) == 4
    assert (errors < bound).all(), errors


def encoders_there():
    from gensr.pipeline.extraction import worker

    return len(worker._loaded)


@pytest.mark.slow
def test_a_cluster_of_named_encoders(corpus, tmp_path, scheduler, monkeypatch):
    """`fbank` loaded by each worker, files heard by them too, then added to."""
    for name in ("one", "two"):
        scheduler.worker(name)
    config = {"encoder": "fbank", "shard_clips": 4, "allow_errors": 1}
    extract(corpus, tmp_path / "alone.zarr", ExtractConfig(**config))
    there = ExtractConfig(**config, cluster=scheduler.address)
    monkeypatch.chdir(tmp_path)  # not the workers' folder
    assert extract(corpus, Path("s.zarr"), there).out == Path("s.zarr")
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "alone.zarr")
    soundfile.write(corpus / "happy/new.wav", np.random.default_rng(5).normal(0, 0.1, 999), 16_000)
    assert extract(corpus, tmp_path / "s.zarr", there).encoded == 1
    extract(corpus, tmp_path / "alone.zarr", ExtractConfig(**config))
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "alone.zarr")
    (corpus / "happy/new.wav").unlink()
    with pytest.raises(StoreError, match="other settings"):
        extract(corpus, tmp_path / "s.zarr", replace(there, max_seconds=2.0))
    with Client(scheduler.address, set_as_default=False) as client:
        deadline = time.monotonic() + 60
        while any(client.run(encoders_there).values()):  # none stays where nothing goes on
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.slow
def test_the_command_with_workers(corpus, tmp_path):
    options = ["--encoder", "fbank", "--shard-clips", "8", "--allow-errors", "1"]
    for out, more in (("alone.zarr", []), ("s.zarr", ["--workers", "2", "--verify", "4"])):
        command = [GENSR, "extract", "corpus", "--out", out, *options, *more]
        answer = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=200
        )
    assert "31 clips, " in answer.stdout
    assert "verified: 4 clips (extracted in" in answer.stdout
    with open_store(tmp_path / "s.zarr") as one, open_store(tmp_path / "alone.zarr") as other:
        np.testing.assert_array_equal(one.vectors(), other.vectors())


@pytest.mark.slow
def test_a_worker_says_how_far_it_is_within_a_shard(corpus, tmp_path, settings):
    told = Told()
    one_shard = settings(workers=1, shard_clips=30)
    extract(
        corpus, tmp_path / "s.zarr", one_shard, encoder=stub.StubEncoder(pause=0.2), progress=told
    )
    assert told.stages[1][0] == "encode"
    assert told.words[1] >= 3
    assert told.units[1] == 30
    assert told.seconds[1] == pytest.approx(told.promised[1])


@pytest.mark.slow
def test_a_clip_that_fails_while_it_is_encoded_is_named_as_on_one_machine(
    corpus, tmp_path, settings
):
    """Nothing finite comes of it; or its file is another one by then. The rest is kept."""

    class NoNumber(stub.StubEncoder):
        def expected(self, wave):
            return super().expected(wave) * (np.nan if wave[0] == first else 1)

    class Changes(Told):
        def stage(self, name, clips, seconds=0.0):
            super().stage(name, clips, seconds)
            if name == "encode":
                stub.write_clip(victim, seed=99)

    victim = corpus / "sad/017.wav"
    first = soundfile.read(victim, dtype="float32")[0][0]
    before = victim.read_bytes()

    def failure(out, encoder, progress, **more):
        with pytest.raises((EncoderError, StoreError)) as caught:
            extract(corpus, out, settings(**more), encoder=encoder, progress=progress)
        victim.write_bytes(before)
        return type(caught.value), str(caught.value)

    for case, encoder, progress in (
        ("nan", NoNumber, Told),
        ("changed", stub.StubEncoder, Changes),
    ):
        here, there = tmp_path / f"{case}-here.zarr", tmp_path / f"{case}-there.zarr"
        said = failure(here, encoder(), progress())
        assert failure(there, encoder(), progress(), workers=2) == said
        assert "sad/017.wav" in said[1]
        report = extract(corpus, there, settings(workers=2), encoder=stub.StubEncoder())
        assert report.clips == 31
