"""What a worker does by itself, tried in this process: its GPU, and one encoder for two shards."""

import hashlib
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from gensr.features.encoding.encode import Clips
from gensr.features.hearing.decode import content_address
from gensr.pipeline.extraction import worker
from gensr.pipeline.extraction.settings import settings_of
from gensr.pipeline.extraction.worker import Task, encode_shard, machine
from support import stub


@pytest.mark.parametrize(
    ("name", "device", "neighbours", "count", "chosen"),
    [
        (0, "auto", True, 2, "cuda:0"),
        (1, "auto", True, 2, "cuda:1"),
        (1, "cuda", True, 2, "cuda:1"),
        (2, "auto", True, 2, "cuda:0"),  # more workers than GPUs take them in turn
        (1, "auto", True, 1, "auto"),
        (1, "auto", True, 0, "auto"),
        (1, "cpu", True, 2, "cpu"),
        (1, "cuda:0", True, 2, "cuda:0"),
        ("node7-0", "auto", False, 2, "auto"),  # of a cluster: what it sees is its own
    ],
)
def test_each_worker_of_this_machine_has_a_gpu(
    name, device, neighbours, count, chosen, settings, monkeypatch
):
    asked = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(worker, "get_worker", lambda: SimpleNamespace(name=name))
    monkeypatch.setattr(worker, "load_as", lambda config, device: asked.append(device))
    worker._named(
        Task(
            run="g",
            config=settings(device=device),
            threads=torch.get_num_threads(),
            neighbours=neighbours,
        )
    )
    assert asked == [chosen]


def written(folder, number):
    """One clip, as a shard's task gets it."""
    wave = np.random.default_rng(number).normal(0, 0.1, 1_000).astype(np.float32)
    path = folder / f"{number}.wav"
    soundfile.write(path, wave, 16_000, subtype="FLOAT")
    return Clips(
        root=folder,
        paths=(path.name,),
        samples=(1_000,),
        file_sha256=(hashlib.sha256(path.read_bytes()).hexdigest(),),
        audio_sha256=(content_address(wave),),
    )


class Writer:
    def __init__(self):
        self.rows = {}

    def is_finished(self, shard):
        return False

    def write(self, shard, rows):
        self.rows |= rows


def test_a_shard_is_read_while_another_one_is_encoded(tmp_path, settings, monkeypatch):
    """The first goes on only when the second has read; and never are both in the encoder."""
    encoding, read = threading.Event(), threading.Event()
    inside = threading.Lock()
    met = []

    class Waits(stub.StubEncoder):
        def _encode(self, waveforms):
            met.append(not inside.acquire(blocking=False))
            encoding.set()
            assert read.wait(60)
            try:
                return super()._encode(waveforms)
            finally:
                inside.release()

    encoder, before = Waits(), Clips.read

    def noted(self, clip):
        samples = before(self, clip)
        if self.paths == ("1.wav",):
            read.set()
        return samples

    monkeypatch.setattr(Clips, "read", noted)
    monkeypatch.setattr(worker, "get_worker", lambda: SimpleNamespace(name="w"))
    monkeypatch.setattr(worker, "_encoder", lambda task: encoder)
    writer, failures = Writer(), []

    def task(number):
        shard = SimpleNamespace(index=number, encode=(number,))
        planned = settings_of(encoder, settings())
        task = Task(run="gate", config=settings())
        clips = written(tmp_path, number)
        try:
            encode_shard(task, planned, machine(encoder), writer, shard, clips, [])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=task, args=(number,)) for number in range(2)]
    threads[0].start()
    assert encoding.wait(60)
    threads[1].start()
    for thread in threads:
        thread.join(100)
    assert not failures
    assert writer.rows.keys() == {0, 1}
    assert met == [False, False]


def test_one_encoder_at_a_time(settings, monkeypatch):
    """Two may not fit on a GPU; and none stays there when its extraction is over."""
    there = []

    def load(task):
        there.append(len(worker._loaded))
        return task.run

    monkeypatch.setattr(worker, "_named", load)
    monkeypatch.setattr(worker, "_loaded", {})
    one, other = (Task(run=run, config=settings()) for run in ("one", "other"))
    assert [worker._encoder(task) for task in (one, one, other)] == ["one", "one", "other"]
    assert there == [0, 0]
    worker.forget("one")
    assert list(worker._loaded) == ["other"]
    worker.forget("other")
    assert not worker._loaded
