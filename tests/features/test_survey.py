"""Every clip is heard once, in order, and what is known is not heard again."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import AudioError
from gensr.features.audio import read_audio
from gensr.features.corpora import Clip
from gensr.features.survey import Verdict, in_order, survey


@pytest.fixture
def clips(tmp_path):
    for number in range(9):
        noise = np.random.default_rng(number).normal(0, 0.1, 800 + 100 * number)
        soundfile.write(tmp_path / f"{number}.wav", noise, 16_000, subtype="FLOAT")
    return [Clip(path=f"{number}.wav", corpus="c") for number in (3, 1, 8, 0, 2, 7, 4, 5, 6)]


def test_results_keep_the_order_given(tmp_path, clips):
    def slow_for_some(path):
        time.sleep(0.02 if path.stem in "318" else 0)
        return read_audio(path)

    result = survey(tmp_path, clips, read=slow_for_some, workers=4)
    assert [item.clip for item in result.heard] == clips
    assert [item.samples for item in result.heard] == [
        800 + 100 * int(clip.path[0]) for clip in clips
    ]
    assert result.decoded == 9
    wave = read_audio(tmp_path / "3.wav")
    assert result.heard[0].audio_sha256 == wave.sha256
    assert result.heard[0].seconds == wave.seconds


def test_what_cannot_be_used_is_a_problem(tmp_path, clips):
    (tmp_path / "1.wav").write_bytes(b"")
    (tmp_path / "8.wav").unlink()
    (tmp_path / "0.wav").unlink()
    os.mkfifo(tmp_path / "0.wav")  # opening it would wait for ever
    soundfile.write(tmp_path / "5.wav", np.zeros(900), 16_000)
    told = []
    result = survey(tmp_path, clips, advance=lambda n, seconds: told.append((n, seconds)))
    assert [problem.path for problem in result.problems] == ["1.wav", "8.wav", "0.wav", "5.wav"]
    reasons = [problem.reason for problem in result.problems]
    assert "empty" in reasons[0]
    assert "no such file" in reasons[1]
    assert "not a regular file" in reasons[2]
    assert "silent" in reasons[3]
    assert not any(str(tmp_path) in reason for reason in reasons)
    assert len(result.heard) == 5
    assert sum(n for n, _ in told) == 9
    assert sum(seconds for _, seconds in told) == pytest.approx(
        sum(item.seconds for item in result.heard)
    )


def test_known_bytes_are_not_decoded(tmp_path, clips):
    (tmp_path / "6.wav").write_bytes(b"no audio")
    first = survey(tmp_path, clips)

    def never(path):
        raise AssertionError(path)

    again = survey(tmp_path, clips, known=first.verdicts, read=never)
    assert again == type(again)(
        heard=first.heard, problems=first.problems, verdicts=first.verdicts, decoded=0
    )
    (tmp_path / "2.wav").write_bytes((tmp_path / "7.wav").read_bytes() + b"\0")
    third = survey(tmp_path, clips, known=first.verdicts)
    assert third.decoded == 1


def test_an_unknown_failure_is_not_swallowed(tmp_path, clips):
    def broken(path):
        raise MemoryError

    with pytest.raises(MemoryError):
        survey(tmp_path, clips, read=broken)


def test_an_unreadable_file_that_was_known_missing_is_read_again(tmp_path):
    # No bytes, no hash: "" is never looked up.
    known = {"": Verdict(samples=1, audio_sha256="x")}
    result = survey(tmp_path, [Clip(path="none.wav", corpus="c")], known=known)
    assert [problem.path for problem in result.problems] == ["none.wav"]


def test_in_order_begins_no_more_than_it_may():
    begun, lock = [], threading.Lock()

    def work(item):
        with lock:
            begun.append(item)
        return item

    def items():
        yield from range(100)

    with ThreadPoolExecutor(4) as pool:
        results = in_order(pool, work, items(), ahead=5)
        assert next(results) == 0
        time.sleep(0.05)
        assert len(begun) <= 6
        assert list(results) == list(range(1, 100))


def test_in_order_raises_where_it_happened():
    def work(item):
        if item == 3:
            raise AudioError("broken")
        return item

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, work, range(10), ahead=4)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(AudioError, match="broken"):
            next(results)
