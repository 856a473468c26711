"""Extraction on a real dask cluster of separate processes, against the same in one process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import ClusterError, ConfigError
from gensr.features.store import open_store
from gensr.pipeline.extract import ExtractConfig, extract
from gensr.pipeline.worker import encode_shard

STUB = Path(__file__).parent.parent / "features/store/stub.py"


@pytest.fixture(scope="module")
def stub(load_helper):
    """The stub encoder, sent to workers by value: they do not find this module by its name."""
    modules = (load_helper(STUB), sys.modules[__name__])
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    yield modules[0]
    for module in modules:
        cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture
def corpus(stub, tmp_path):
    root = stub.write_corpus(tmp_path / "corpus", clips=30)
    same = (root / "angry/000.wav").read_bytes()
    (root / "sad/zz-copy.wav").write_bytes(same)  # the last shard copies from the first
    (root / "sad/broken.wav").write_bytes(b"RIFF")
    return root


class Scheduler:
    """A scheduler and workers as a user starts them: `dask scheduler`, `dask worker`."""

    def __init__(self, folder):
        self.folder, self.processes, self.address = folder, [], ""

    def begin(self):
        file = self.folder / "scheduler.json"
        self.start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        deadline = time.monotonic() + 60
        while not (file.exists() and file.read_text().strip().endswith("}")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def start(self, kind, *arguments):
        command = [sys.executable, "-m", "dask", kind, "--host", "127.0.0.1", *arguments]
        with (self.folder / f"{kind}-{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self.processes.append(process)
        return process

    def worker(self, name):
        options = ("--no-nanny", "--no-dashboard", "--nthreads", "1", "--name", name)
        return self.start("worker", self.address, *options)

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def scheduler(tmp_path):
    folder = tmp_path / "dask"
    folder.mkdir()
    running = Scheduler(folder)
    try:
        running.begin()
        yield running
    finally:
        running.stop()


class Told:
    def __init__(self):
        self.threads, self.stages, self.clips, self.seconds = set(), [], [], []

    def stage(self, name, clips, seconds=0.0):
        self.stages.append((name, clips, seconds))
        self.clips.append(0)
        self.seconds.append(0.0)

    def advance(self, clips, seconds=0.0):
        self.threads.add(threading.get_ident())
        self.clips[-1] += clips
        self.seconds[-1] += seconds


def settings(**more):
    return ExtractConfig(encoder="stub", shard_clips=4, batch_seconds=0.2, allow_errors=1, **more)


def tree(path):
    if path.is_file():
        return path.read_bytes()
    files = (file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}


@pytest.mark.parametrize("name", ["s.zarr", "s.h5"])
def test_workers_write_what_one_process_writes(name, stub, corpus, tmp_path):
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
    assert [stage for stage, _, _ in told.stages][:3] == ["survey", "encode", "verify"]
    assert told.clips[:3] == [32, 30, 3]
    assert told.seconds[1] == pytest.approx(told.stages[1][2])
    assert told.threads == {threading.get_ident()}
    assert not (tmp_path / f"{name}.work").exists()


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(stub, corpus, tmp_path, scheduler):
    """The worker that is at work is killed in the middle of a shard; another one comes."""
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
                encoder=stub.StubEncoder(pause=0.15),
            )
        except BaseException as error:
            result["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 120
    while not (marks.is_dir() and len(list(marks.iterdir())) >= 2):
        assert thread.is_alive(), result
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)  # within the next shard
    os.kill(victim.pid, signal.SIGKILL)
    scheduler.worker("heir")
    thread.join(120)
    assert not thread.is_alive()
    assert result["report"].encoded == 30
    assert tree(out) == tree(tmp_path / "alone.zarr")


@pytest.mark.slow
def test_a_worker_that_dies_late_costs_no_finished_shard(stub, corpus, tmp_path, scheduler):
    """dask forgets results with the worker that had them; what is on the disk stays."""

    class Logging(stub.StubEncoder):
        def _encode(self, waveforms):
            with log.open("a") as file:
                file.write(f"{len(waveforms)}\n")
            return super()._encode(waveforms)

    log = tmp_path / "batches"
    first = scheduler.worker("first")
    marks = tmp_path / "s.zarr.work/done"

    def exchange():
        while not (marks.is_dir() and len(list(marks.iterdir())) >= 4):
            time.sleep(0.01)
        first.kill()
        scheduler.worker("second")

    thread = threading.Thread(target=exchange)
    thread.start()
    config = settings(cluster=scheduler.address)
    report = extract(corpus, tmp_path / "s.zarr", config, encoder=Logging(pause=0.1))
    thread.join()
    assert report.encoded == 30
    encoded = sum(map(int, log.read_text().split()))
    assert 30 <= encoded <= 34  # once each, but for the one shard that was under way


@pytest.mark.slow
def test_a_hubert_on_workers_is_the_same_hubert(corpus, tmp_path):
    """Padded batches, windows and float16 on workers, against the same in one process."""
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = HubertConfig(
        conv_dim=(16,) * 7, intermediate_size=48, num_conv_pos_embedding_groups=4, **small
    )
    HubertModel(config).save_pretrained(tmp_path / "hubert")
    noise = np.random.default_rng(5).normal(0, 0.1, 40_000)
    soundfile.write(corpus / "happy/long.wav", noise, 16_000)
    gensr = str(Path(sys.executable).with_name("gensr"))
    options = "--encoder hubert --max-seconds 1 --store-dtype float16 --batch-seconds 0.5"
    options += " --shard-clips 8 --allow-errors 1 --device cpu --verify 6"
    for out, more in (("alone.zarr", []), ("s.zarr", ["--workers", "2"])):
        command = [gensr, "extract", "corpus", "--out", out, *options.split(), *more]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=250)
    with open_store(tmp_path / "s.zarr") as one, open_store(tmp_path / "alone.zarr") as other:
        assert one.fingerprint() == other.fingerprint()
        found, expected = one.vectors(), other.vectors()
    # Not equal to the bit: one process has more threads. A leak would be a hundred times as far.
    scale = np.linalg.norm(expected, axis=-1)
    assert (np.linalg.norm(found - expected, axis=-1) / scale).max() < 1e-3


@pytest.mark.slow
def test_a_client_that_is_killed_leaves_its_shards_to_the_next(corpus, tmp_path):
    """The workers of this machine go with it; what they had finished is not encoded again."""
    for number in range(200):
        noise = np.random.default_rng(number).normal(0, 0.1, 16_000)
        soundfile.write(corpus / f"sad/more{number}.wav", noise, 16_000)
    gensr = str(Path(sys.executable).with_name("gensr"))
    options = "--encoder fbank --shard-clips 4 --allow-errors 1 --workers 2"
    command = [gensr, "extract", "corpus", "--out", "s.zarr", *options.split()]
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
def test_a_cluster_of_named_encoders(corpus, tmp_path, scheduler):
    """`fbank` loaded by each worker, files heard by them too, then added to."""
    for name in ("one", "two"):
        scheduler.worker(name)
    config = {"encoder": "fbank", "shard_clips": 4, "allow_errors": 1}
    extract(corpus, tmp_path / "alone.zarr", ExtractConfig(**config))
    there = ExtractConfig(**config, cluster=scheduler.address)
    extract(corpus, tmp_path / "s.zarr", there)
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "alone.zarr")
    soundfile.write(corpus / "happy/new.wav", np.random.default_rng(5).normal(0, 0.1, 999), 16_000)
    assert extract(corpus, tmp_path / "s.zarr", there).encoded == 1
    extract(corpus, tmp_path / "alone.zarr", ExtractConfig(**config))
    assert tree(tmp_path / "s.zarr") == tree(tmp_path / "alone.zarr")
    (corpus / "happy/new.wav").unlink()


@pytest.mark.slow
def test_what_a_cluster_lacks_is_one_line(stub, corpus, tmp_path, scheduler):
    config = settings(cluster=scheduler.address)
    with pytest.raises(ClusterError, match="has no worker; start some"):
        extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder())
    nowhere = settings(cluster="tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match="no dask scheduler answers at tcp:"):
        extract(corpus, tmp_path / "s.zarr", nowhere, encoder=stub.StubEncoder())
    scheduler.worker("one")
    with pytest.raises(RuntimeError, match="the stub encoder broke"):
        extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder(fail_at=0))
    report = extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder())
    assert report.encoded == 30


@pytest.mark.slow
def test_a_scheduler_that_dies_is_one_line_and_costs_nothing(stub, corpus, tmp_path, scheduler):
    scheduler.worker("one")
    out, marks = tmp_path / "s.zarr", tmp_path / "s.zarr.work/done"

    def kill_it():
        while not (marks.is_dir() and any(marks.iterdir())):
            time.sleep(0.01)
        scheduler.processes[0].kill()

    killer = threading.Thread(target=kill_it)
    killer.start()
    with pytest.raises(ClusterError, match=r"the cluster was lost .* finished shards are kept"):
        extract(
            corpus,
            out,
            settings(cluster=scheduler.address),
            encoder=stub.StubEncoder(pause=0.2),
        )
    killer.join()
    report = extract(corpus, out, settings(), encoder=stub.StubEncoder())
    assert report.skipped >= 4
    extract(corpus, tmp_path / "alone.zarr", settings(), encoder=stub.StubEncoder())
    assert tree(out) == tree(tmp_path / "alone.zarr")


@pytest.mark.slow
def test_workers_that_never_come_back_end_the_wait(stub, corpus, tmp_path, scheduler, monkeypatch):
    monkeypatch.setattr("gensr.pipeline.cluster._PATIENCE", 3.0)
    only = scheduler.worker("only")
    marks = tmp_path / "s.zarr.work/done"

    def kill_it():
        while not (marks.is_dir() and any(marks.iterdir())):
            time.sleep(0.01)
        only.kill()

    killer = threading.Thread(target=kill_it)
    killer.start()
    config = settings(cluster=scheduler.address)
    with pytest.raises(ClusterError, match="has had no worker for"):
        extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder(pause=0.2))
    killer.join()


@pytest.mark.slow
def test_the_command_with_workers(corpus, tmp_path):
    gensr = str(Path(sys.executable).with_name("gensr"))
    options = ["--encoder", "fbank", "--shard-clips", "8", "--allow-errors", "1"]
    for out, more in (("alone.zarr", []), ("s.zarr", ["--workers", "2", "--verify", "4"])):
        command = [gensr, "extract", "corpus", "--out", out, *options, *more]
        answer = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=200
        )
    assert "31 clips, " in answer.stdout
    assert "verified: 4 clips (extracted in" in answer.stdout
    with open_store(tmp_path / "s.zarr") as one, open_store(tmp_path / "alone.zarr") as other:
        np.testing.assert_array_equal(one.vectors(), other.vectors())


def test_a_worker_with_another_encoder_writes_nothing(stub, monkeypatch):
    import torch

    from gensr.pipeline.site import settings_of
    from gensr.pipeline.worker import Duty

    def duty(run, encoder):
        threads = torch.get_num_threads()
        return Duty(run=run, config=settings(), encoder=cloudpickle.dumps(encoder), threads=threads)

    monkeypatch.setattr("gensr.pipeline.worker._name", lambda: "w1 (tcp://127.0.0.1:1)")
    planned = settings_of(stub.StubEncoder(revision="r1"), settings())
    other = duty("r", stub.StubEncoder(revision="r2"))
    with pytest.raises(ClusterError, match=r"w1 .*encoder\.revision: 'r1' there, 'r2' here"):
        encode_shard(other, planned, "cpu", Unfinished(), None, None, [])
    same = duty("s", stub.StubEncoder(revision="r1"))
    with pytest.raises(ClusterError, match=r"w1 .*device: 'cuda' there, 'cpu' here"):
        encode_shard(same, planned, "cuda", Unfinished(), None, None, [])


@pytest.mark.slow
def test_workers_that_die_of_the_encoder_are_one_line(stub, corpus, tmp_path):
    class Deadly(stub.StubEncoder):
        def __setstate__(self, state):
            os._exit(1)

    with pytest.raises(ClusterError, match="3 workers died while they loaded the encoder"):
        extract(corpus, tmp_path / "s.zarr", settings(workers=1), encoder=Deadly())
    assert not (tmp_path / "s.zarr").exists()


class Unfinished:
    """A writer that has written nothing."""

    def is_finished(self, shard):
        return False


def test_workers_and_cluster_exclude_each_other():
    with pytest.raises(ConfigError, match="one of them"):
        settings(workers=2, cluster="tcp://127.0.0.1:8786")


def test_without_distributed_one_line_says_so(corpus, tmp_path):
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from gensr.cli.main import run\n"
        "sys.argv = ['gensr', 'extract', sys.argv[1], '--encoder', 'fbank', '--workers', '2',\n"
        "            '--out', sys.argv[2]]\n"
        "run()"
    )
    command = [sys.executable, "-c", code, str(corpus), str(tmp_path / "s.zarr")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "pip install 'gensr[cluster]'" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
