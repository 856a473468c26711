"""A stream is `encode` batch by batch: same vectors, order and errors, and nothing left over."""

import threading
import time
from typing import Any

import numpy as np
import pytest
import torch

from gensr.features.encoders import BOUNDS, Encoder, load_encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.streaming import Arrival, run_ahead, side_by_side
from support.checkpoints import relative_error
from support.sounds import noise

KINDS = ("hubert-base", "wavlm-large", "data2vec", "whisper")


class Stub(Encoder):
    """Means of the clips; notes who does what."""

    name, layers, width, equal_lengths = "stub", ("a", "x1"), 3, False

    def __init__(self, *, fail_at: int = -1) -> None:
        self.events: list[tuple[str, int]] = []
        self.threads: set[str] = set()
        self.fail_at = fail_at

    def _prepare(self, waveforms: Any) -> Any:
        self.threads.add(threading.current_thread().name)
        return [float(wave.mean()) for wave in waveforms]

    def _encode(self, prepared: Any) -> Any:
        if len(self.events) == self.fail_at:
            raise RuntimeError("the stub broke")
        self.events.append(("run", len(prepared)))
        return np.multiply.outer(np.array(prepared, np.float32), np.ones((2, 3), np.float32))

    def provenance(self) -> dict[str, Any]:
        return {}


def test_a_family_that_says_nothing_has_frames_of_twenty_milliseconds():
    assert [Stub().frames(n) for n in (400, 719, 720, 16_000)] == [1, 1, 2, 49]
    assert Stub().max_samples is None


def workers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prepare")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_encode_batch_by_batch(kind, loaded):
    encoder = loaded(kind)
    batches = [noise(400, 9_000, 3_000), [], noise(5_000), noise(5_000, 5_000, seed=1)]
    expected = [encoder.encode(batch) for batch in batches]
    for found, vectors in zip(encoder.stream(iter(batches)), expected, strict=True):
        np.testing.assert_array_equal(found, vectors)
    assert list(encoder.stream([])) == []
    assert not workers()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_gpu_a_stream_is_encode_batch_by_batch(kind, checkpoint, loaded):
    encoder = load_encoder(str(checkpoint(kind)), device="cuda")
    batches = [noise(400, 9_000, 30_000, seed=seed) for seed in range(20)]
    streamed = list(encoder.stream(iter(batches)))
    assert len(streamed) == len(batches)
    for found, batch in zip(streamed, batches, strict=True):
        assert relative_error(found, encoder.encode(batch)) < 1e-6
        assert relative_error(found, loaded(kind).encode(batch)) < 1e-4
        alone = np.concatenate([encoder.encode([clip]) for clip in batch])
        assert relative_error(found, alone) < BOUNDS[encoder.dtype]


def test_another_thread_prepares():
    encoder = Stub()
    assert len(list(encoder.stream([noise(400), noise(500)]))) == 2
    assert all(name.startswith("prepare") for name in encoder.threads)


def test_batches_are_read_as_they_are_needed():
    read = []

    def batches():
        for number in range(10):
            read.append(number)
            yield noise(400)

    stream = Stub().stream(batches())
    assert read == []
    next(stream)
    stream.close()
    assert 1 <= len(read) <= 2
    assert not workers()


def broken_source():
    yield noise(400)
    yield noise(500)
    raise OSError("the clips ran out")


def test_an_error_comes_after_the_results_before_it():
    short = [noise(400), noise(400), noise(399), noise(400)]
    for encoder, batches, kind, words in (
        (Stub(), broken_source(), OSError, "ran out"),
        (Stub(), short, EncoderError, "400 samples"),
        (Stub(fail_at=2), [noise(400)] * 4, RuntimeError, "broke"),
    ):
        stream = encoder.stream(batches)
        assert [next(stream).shape for _ in range(2)] == [(1, 2, 3)] * 2
        with pytest.raises(kind, match=words):
            next(stream)
        assert not workers()


def test_vectors_that_are_not_finite_are_an_error():
    (clip,) = noise(400)
    clip[0] = np.nan
    with pytest.raises(EncoderError, match="not finite"):
        list(Stub().stream([noise(400), [clip]]))
    assert not workers()


class Device:
    """A queue that works when it is waited for, and notes the order of things."""

    def __init__(self, *, fail_at=None):
        self.events = []
        self.fail_at = fail_at

    def start(self, number):
        if number == self.fail_at:
            raise RuntimeError("queue full")
        self.events.append(f"start {number}")

        def wait():
            self.events.append(f"wait {number}")
            return np.array([number])

        return Arrival(wait, here=False)


def test_a_device_gets_its_next_batch_before_results_are_waited_for():
    device = Device()
    arrivals = run_ahead(range(3), prepare=lambda number: number, start=device.start)
    assert [int(arrival.wait()[0]) for arrival in arrivals] == [0, 1, 2]
    assert device.events == ["start 0", "start 1", "wait 0", "start 2", "wait 1", "wait 2"]


def test_a_batch_that_is_slow_to_come_does_not_keep_one_that_is_ready():
    started = [threading.Event() for _ in range(4)]

    def batches():
        for number in range(4):
            # The disk answers only once the device has every batch that was read before.
            assert number == 0 or started[number - 1].wait(60)
            yield number

    def start(number):
        started[number].set()
        return Device().start(number)

    arrivals = run_ahead(batches(), prepare=lambda number: number, start=start)
    assert [int(arrival.wait()[0]) for arrival in arrivals] == [0, 1, 2, 3]


def test_what_was_queued_before_an_error_still_arrives():
    device = Device(fail_at=2)
    arrivals = run_ahead(range(5), prepare=lambda number: number, start=device.start)
    assert [int(next(arrivals).wait()[0]) for _ in range(2)] == [0, 1]
    last = next(arrivals)
    with pytest.raises(RuntimeError, match="queue full"):
        last.wait()
    assert list(arrivals) == []
    assert not workers()


def test_a_stream_closed_early_stops_preparing():
    prepared = []
    device = Device()
    arrivals = run_ahead(range(100), prepare=prepared.append, start=lambda _: device.start(0))
    next(arrivals)
    arrivals.close()
    assert len(prepared) <= 4
    assert not workers()


def told(batches, work, count=3):
    """What comes of work side by side, and the error behind it."""
    found = []
    try:
        found.extend(side_by_side(batches, work, count))
    except ValueError as error:
        return found, str(error)
    return found, ""


def test_side_by_side_keeps_the_order_and_hands_out_what_came_before_an_error():
    def late(number):
        time.sleep(0.02 if number % 3 == 0 else 0.0)
        if number == 7:
            raise ValueError("the seventh")
        return 2 * number

    def source(stop):
        yield from range(stop)
        raise ValueError("the source")

    assert told(range(6), late) == ([0, 2, 4, 6, 8, 10], "")
    assert told(range(20), late) == ([0, 2, 4, 6, 8, 10, 12], "the seventh")
    assert told(source(5), late) == ([0, 2, 4, 6, 8], "the source")
    assert told([], late) == ([], "")


def test_side_by_side_takes_few_batches_ahead_and_leaves_no_thread_behind():
    taken = []

    def source():
        for number in range(100):
            taken.append(number)
            yield number

    results = side_by_side(source(), abs, 2)
    assert next(results) == 0
    assert len(taken) <= 2 * 2 + 1
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("encode")]
