"""What a cluster, or a worker, cannot do: one line each, and nothing is written."""

import subprocess
import sys
import threading
import traceback
from contextlib import contextmanager
from importlib.metadata import version
from types import SimpleNamespace

import cloudpickle
import pytest
import soundfile
import torch

from gensr.estimator.errors import ConfigError
from gensr.features.encoders.registry import ENCODERS
from gensr.features.hearing.verdict import decoder_versions
from gensr.features.store.open import work_folder
from gensr.pipeline.extraction import cluster, worker
from gensr.pipeline.extraction.cluster import ClusterExecutor
from gensr.pipeline.extraction.errors import ClusterError
from gensr.pipeline.extraction.extract import extract
from gensr.pipeline.extraction.settings import settings_of
from gensr.pipeline.extraction.worker import Task, describe, encode_shard
from support import stub


class Unfinished:
    """A writer that has written nothing."""

    def is_finished(self, shard):
        return False


@pytest.mark.slow
def test_what_a_cluster_lacks_is_one_line(corpus, tmp_path, scheduler, settings):
    config = settings(cluster=scheduler.address)
    with pytest.raises(ClusterError, match="has no worker; start some"):
        extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder())
    nowhere = settings(cluster="tcp://127.0.0.1:9")
    with pytest.raises(ClusterError, match="no dask scheduler answers at tcp:"):
        extract(corpus, tmp_path / "s.zarr", nowhere, encoder=stub.StubEncoder())
    scheduler.worker("one")
    extract(corpus, tmp_path / "s.zarr", config, encoder=stub.StubEncoder())


@pytest.mark.slow
def test_what_breaks_in_a_task_is_no_lost_cluster(corpus, tmp_path, settings):
    """A fault of a library's own: one line that names it, with the worker's traceback behind it."""

    class Odd(stub.StubEncoder):
        def _encode(self, waveforms):
            raise ValueError("shapes (3,)\nand (4,)")

    out, config = tmp_path / "s.zarr", settings(workers=1)
    for encoder, said in (
        (stub.StubEncoder(fail_at=0), "RuntimeError: the stub encoder broke"),
        (Odd(), "ValueError: shapes (3,) and (4,)"),
    ):
        with pytest.raises(ClusterError) as caught:
            extract(corpus, out, config, encoder=encoder)
        assert f"a worker failed ({said}); finished shards are kept" in str(caught.value)
        assert "lost" not in str(caught.value)
        assert "in _encode" in "".join(traceback.format_exception(caught.value.__cause__))
    assert extract(corpus, out, config, encoder=stub.StubEncoder()).encoded == 30


class Ended(SimpleNamespace):
    """A future whose task is over."""

    def done(self):
        return True

    def result(self, timeout=None):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (ValueError("odd"), "error", r"a worker failed \(ValueError: odd\).* shows where"),
        (KeyError("k"), "error", r"a worker failed \(KeyError: 'k'\)"),
        (OSError("stale"), "error", r"a worker failed \(OSError: stale\).* again goes on"),
        (OSError("no comm"), "lost", r"the cluster was lost \(no comm\)"),
        (ValueError("closed"), "cancelled", r"the cluster was lost \(closed\)"),
    ],
)
def test_each_failure_under_its_name(answer, status, said, settings):
    cluster = ClusterExecutor(None, Task(run="n", config=settings()))
    with pytest.raises(ClusterError, match=said):
        cluster._result(Ended(answer=answer, status=status))


def duty_of(run, encoder, config):
    threads = torch.get_num_threads()
    return Task(run=run, config=config, encoder=cloudpickle.dumps(encoder), threads=threads)


def test_a_worker_with_another_encoder_writes_nothing(monkeypatch, settings):
    monkeypatch.setattr("gensr.pipeline.extraction.worker._name", lambda: "w1 (tcp://127.0.0.1:1)")
    planned = settings_of(stub.StubEncoder(revision="r1"), settings())
    here = worker.machine(stub.StubEncoder())
    other = duty_of("r", stub.StubEncoder(revision="r2"), settings())
    with pytest.raises(ClusterError, match=r"w1 .*encoder\.revision: 'r1' there, 'r2' here"):
        encode_shard(other, planned, here, Unfinished(), None, None, [])
    same = duty_of("s", stub.StubEncoder(revision="r1"), settings())
    for key, value in (("device", "cuda"), ("libsndfile", "0.9"), ("scipy", "0.1")):
        with pytest.raises(ClusterError, match=rf"w1 .*{key}: '{value}' there, '.*' here"):
            encode_shard(same, planned, here | {key: value}, Unfinished(), None, None, [])


def test_a_worker_tells_what_it_decodes_with(tmp_path, settings):
    """Not in the store: the same samples are the same samples, whoever decoded them."""
    encoder = stub.StubEncoder()
    told = describe(duty_of("d", encoder, settings()), tmp_path, tmp_path)
    assert told["machine"] == {"device": "cpu", **decoder_versions()}
    assert decoder_versions()["libsndfile"] == soundfile.__libsndfile_version__
    for library in ("numpy", "soundfile", "scipy", "av"):
        assert decoder_versions()[library] == version(library)
    assert told["settings"] == settings_of(encoder, settings())


def test_workers_that_would_decode_otherwise_are_told_before_anything_is_heard(tmp_path, settings):
    planned = settings_of(stub.StubEncoder(), settings())
    here = worker.machine(stub.StubEncoder())

    class Two:
        def __init__(self, one, other):
            self.libraries = {"tcp://a:1": one, "tcp://b:1": other}

        def nthreads(self):
            return dict.fromkeys(self.libraries, 1)

        def submit(self, task, *arguments, workers, pure):
            machine = here | {"libsndfile": self.libraries[workers[0]]}
            return Ended(answer={"settings": planned, "machine": machine}, status="finished")

    job = SimpleNamespace(out=tmp_path / "s.zarr")
    work_folder(job.out).mkdir()
    cluster = ClusterExecutor(Two("1.2.2", "1.0.31"), Task(run="t", config=settings()))
    with pytest.raises(ClusterError, match=r"a:1 and .*b:1 .*libsndfile: '1\.2\.2' there, '1\.0\."):
        cluster.settings(tmp_path, work_folder(job.out))
    cluster = ClusterExecutor(Two("1.2.2", "1.2.2"), Task(run="t", config=settings()))
    assert cluster.settings(tmp_path, work_folder(job.out)) == planned


def test_a_large_encoder_is_not_sent_with_every_task(corpus, tmp_path, settings, monkeypatch):
    class Large(stub.StubEncoder):
        def __init__(self):
            super().__init__()
            self.weights = bytes(33 << 20)

    def never(config):
        raise AssertionError("workers were started")

    monkeypatch.setattr("gensr.pipeline.extraction.cluster.workers", never)
    with pytest.raises(
        ConfigError, match=r"object of 33\.0 MiB .* may have 1 MiB: save it as a folder"
    ):
        extract(corpus, tmp_path / "s.zarr", settings(workers=2), encoder=Large())


def test_an_encoder_that_cannot_be_sent(corpus, tmp_path, settings):
    class Locked(stub.StubEncoder):
        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

    with pytest.raises(ConfigError, match=r"cannot be sent .*lock.*: save it as a folder"):
        extract(corpus, tmp_path / "s.zarr", settings(workers=2), encoder=Locked())


def test_workers_without_tls(corpus, tmp_path, settings, monkeypatch):
    def no_tls(**options):
        raise ImportError("no module named 'cryptography'")

    monkeypatch.setattr("gensr.pipeline.extraction.workers.LocalCluster", no_tls)
    with pytest.raises(ConfigError, match=r"lacks a library .*cryptography.*gensr\[cluster\]"):
        extract(corpus, tmp_path / "s.zarr", settings(workers=2))


def test_an_answer_that_is_lost_with_its_worker_is_not_waited_for(tmp_path, settings):
    """It was done; the worker died before the answer was fetched."""

    class Lost(Ended):
        def result(self, timeout=None):
            assert timeout is not None
            raise TimeoutError

        def cancel(self):
            pass

    class Dying:
        def __init__(self):
            self.there = ["tcp://a:1", "tcp://b:1"]

        def nthreads(self):
            return dict.fromkeys(self.there, 1)

        def submit(self, task, *arguments, workers, pure):
            if workers == ["tcp://b:1"]:
                self.there.remove("tcp://b:1")
                return Lost(status="lost")
            return Ended(answer={"settings": {}, "machine": {"device": "cpu"}}, status="finished")

    job = SimpleNamespace(out=tmp_path / "s.zarr")
    assert (
        ClusterExecutor(Dying(), Task(run="l", config=settings())).settings(
            tmp_path, work_folder(job.out)
        )
        == {}
    )


def test_workers_and_cluster_exclude_each_other(settings):
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


def test_a_survey_by_workers_holds_for_their_libraries(settings):
    """Heard by others, then upgraded: the log of the survey is begun anew."""
    machine = {"device": "cpu", "libsndfile": "1.2.2"}
    cluster = ClusterExecutor(None, Task(run="t", config=settings()))
    cluster._machine = machine
    assert cluster.decoders() == {"workers' libsndfile": "1.2.2"}
    here = ClusterExecutor(None, Task(run="t", config=settings(), neighbours=True))
    here._machine = machine
    assert here.decoders() == {}


def test_an_encoder_that_was_added_by_hand_goes_along(settings, monkeypatch):
    """A worker that is told its name alone would ask the hub for it."""
    monkeypatch.setattr(ENCODERS, "_added", set())
    ENCODERS.add("stub", stub.StubEncoder)

    @contextmanager
    def nobody(config, *, own_code):
        assert own_code
        yield SimpleNamespace(run=None)

    monkeypatch.setattr(cluster, "workers", nobody)
    with cluster.cluster_executor(settings(workers=1), None) as executor:
        assert cloudpickle.loads(executor._task.encoder).name == "stub"
    ENCODERS._loaded.pop("stub")
