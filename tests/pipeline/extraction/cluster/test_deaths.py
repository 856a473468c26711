"""Workers, schedulers and clients that die in the middle of an extraction: what it costs."""

import os
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
import soundfile

from gensr.pipeline.extraction.errors import ClusterError
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support import stub
from support.command import GENSR
from support.trees import tree


def logging_stub(log, pause):
    """A stub encoder that notes in a file how many clips each batch has, as it begins it."""

    class Logging(stub.StubEncoder):
        def _encode(self, waveforms):
            with log.open("a") as file:
                file.write(f"{len(waveforms)}\n")
            return super()._encode(waveforms)

    return Logging(pause=pause)


def frozen_within_a_shard(process, marks, log):
    """Stop a worker where it has begun more clips than the shards it has marked can hold."""
    os.kill(process.pid, signal.SIGSTOP)
    begun = sum(map(int, log.read_text().split())) if log.exists() else 0
    done = len(list(marks.iterdir())) if marks.is_dir() else 0
    if done >= 2 and begun > 4 * done:
        return True
    os.kill(process.pid, signal.SIGCONT)
    return False


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(corpus, tmp_path, scheduler, settings):
    """The worker that is at work is killed in the middle of a shard; another one comes."""

    log = tmp_path / "begun"
    extract(corpus, tmp_path / "alone.zarr", settings(), encoder=stub.StubEncoder())
    victim = scheduler.worker("victim")
    out, marks = tmp_path / "s.zarr", tmp_path / "s.zarr.work/done"
    result = {}

    def work():
        try:
            result["report"] = extract(
                corpus,
                out,
                settings(cluster=scheduler.address),
                encoder=logging_stub(log, 0.15),
            )
        except BaseException as error:
            result["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    deadline = time.monotonic() + 120
    while not frozen_within_a_shard(victim, marks, log):
        assert thread.is_alive(), result
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(victim.pid, signal.SIGKILL)
    scheduler.worker("heir")
    thread.join(120)
    assert not thread.is_alive()
    assert result["report"].encoded == 30
    assert 30 < sum(map(int, log.read_text().split())) <= 34  # that shard was begun once more
    assert tree(out) == tree(tmp_path / "alone.zarr")


@pytest.mark.slow
def test_a_worker_that_dies_late_costs_no_finished_shard(corpus, tmp_path, scheduler, settings):
    """dask forgets results with the worker that had them; what is on the disk stays."""

    log = tmp_path / "batches"
    first = scheduler.worker("first")
    marks = tmp_path / "s.zarr.work/done"

    def exchange():
        while not (marks.is_dir() and len(list(marks.iterdir())) >= 4):
            time.sleep(0.01)
        first.kill()
        scheduler.worker("second")

    thread = threading.Thread(target=exchange, daemon=True)
    thread.start()
    config = settings(cluster=scheduler.address)
    report = extract(corpus, tmp_path / "s.zarr", config, encoder=logging_stub(log, 0.1))
    thread.join(60)
    assert report.encoded == 30
    encoded = sum(map(int, log.read_text().split()))
    assert 30 <= encoded <= 34  # once each, but for the one shard that was under way


@pytest.mark.slow
def test_a_client_that_is_killed_leaves_its_shards_to_the_next(corpus, tmp_path):
    """The workers of this machine go with it; what they had finished is not encoded again."""
    for number in range(200):
        noise = np.random.default_rng(number).normal(0, 0.1, 16_000)
        soundfile.write(corpus / f"sad/more{number}.wav", noise, 16_000)
    options = "--encoder fbank --shard-clips 4 --allow-errors 1 --workers 2"
    command = [GENSR, "extract", "corpus", "--out", "s.zarr", *options.split()]
    client = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    marks = tmp_path / "s.zarr.work/done"
    while not (marks.is_dir() and len(list(marks.iterdir())) >= 3):
        assert client.poll() is None
        time.sleep(0.005)
    client.kill()
    client.wait()
    time.sleep(2)
    answer = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=250
    )
    skipped = int(answer.stdout.split(" done before")[0].rsplit(" ", 1)[1])
    assert skipped >= 12
    alone = ExtractConfig(encoder="fbank", shard_clips=4, allow_errors=1)
    extract(corpus, tmp_path / "alone.zarr", alone)
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "alone.zarr")


@pytest.mark.slow
def test_a_scheduler_that_dies_is_one_line_and_costs_nothing(corpus, tmp_path, scheduler, settings):
    scheduler.worker("one")
    out, marks = tmp_path / "s.zarr", tmp_path / "s.zarr.work/done"

    def kill_it():
        while not (marks.is_dir() and any(marks.iterdir())):
            time.sleep(0.01)
        scheduler.processes[0].kill()

    killer = threading.Thread(target=kill_it, daemon=True)
    killer.start()
    with pytest.raises(ClusterError, match=r"the cluster was lost .* finished shards are kept"):
        extract(
            corpus,
            out,
            settings(cluster=scheduler.address),
            encoder=stub.StubEncoder(pause=0.2),
        )
    killer.join(60)
    report = extract(corpus, out, settings(), encoder=stub.StubEncoder())
    assert report.skipped >= 4
    extract(corpus, tmp_path / "alone.zarr", settings(), encoder=stub.StubEncoder())
    assert tree(out) == tree(tmp_path / "alone.zarr")


@pytest.mark.slow
def test_workers_that_never_come_back_end_the_wait(
    corpus, tmp_path, scheduler, monkeypatch, settings
):
    monkeypatch.setattr("gensr.pipeline.extraction.cluster._PATIENCE", 3.0)
    only = scheduler.worker("only")
    marks = tmp_path / "s.zarr.work/done"

    def kill_it():
        while not (marks.is_dir() and any(marks.iterdir())):
            time.sleep(0.01)
        only.kill()

    killer = threading.Thread(target=kill_it, daemon=True)
    killer.start()
    config = settings(cluster=scheduler.address)
    with pytest.raises(ClusterError, match="has had no worker for"):
        extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder(pause=0.2))
    killer.join(60)


@pytest.mark.slow
def test_workers_that_die_of_the_encoder_are_one_line(corpus, tmp_path, settings):
    class Deadly(stub.StubEncoder):
        def __setstate__(self, state):
            os._exit(1)

    with pytest.raises(ClusterError, match="3 workers died while they loaded the encoder"):
        extract(corpus, tmp_path / "s.zarr", settings(workers=1), encoder=Deadly())
    assert not (tmp_path / "s.zarr").exists()
