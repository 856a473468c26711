"""A small corpus, the stub encoder on workers, and a dask cluster as a user starts one."""

import json
import subprocess
import sys
import time

import cloudpickle
import pytest

from gensr.pipeline.extraction.extract import ExtractConfig
from support import stub


@pytest.fixture(scope="module", autouse=True)
def _by_value(request):
    """Send the stub encoder to workers by value: they find no test's module by its name."""
    modules = (stub, request.module)
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    yield
    for module in modules:
        cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture
def corpus(tmp_path):
    root = stub.write_corpus(tmp_path / "corpus", clips=30)
    same = (root / "angry/000.wav").read_bytes()
    (root / "sad/zz-copy.wav").write_bytes(same)  # the last shard copies from the first
    (root / "sad/broken.wav").write_bytes(b"RIFF")
    return root


@pytest.fixture(scope="session")
def settings():
    """settings(**ExtractConfig's own): small shards and batches; one clip may fail."""

    def make(**more):
        small = {"shard_clips": 4, "batch_seconds": 0.2, "allow_errors": 1}
        return ExtractConfig(encoder="stub", **(small | more))

    return make


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
