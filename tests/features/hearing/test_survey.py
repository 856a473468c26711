"""Every clip is heard once, in order, and what is known is not heard again."""

import hashlib
import os
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.features.audio.errors import AudioError
from gensr.features.audio.hashes import LARGEST, hash_file
from gensr.features.corpora import Clip
from gensr.features.hearing.decode import read_audio
from gensr.features.hearing.decoders import Decoders
from gensr.features.hearing.survey import hear_in_children, in_order, survey
from gensr.features.hearing.verdict import Verdict, refused


def in_threads(read=read_audio, threads=2):
    """A way to hear files without processes."""

    def hear(path):
        try:
            wave = read(path)
        except AudioError as error:
            return "", refused(str(error))
        return wave.file_sha256, Verdict(len(wave.samples), wave.sha256)

    def hear_all(paths, known):
        with ThreadPoolExecutor(threads) as pool:
            yield from in_order(pool, hear, paths, ahead=4 * threads)

    return hear_all


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

    result = survey(tmp_path, clips, hear=in_threads(slow_for_some, 4))
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
    known = {}
    first = survey(tmp_path, clips, keep=known.__setitem__)
    decoders = Decoders(1, command=("no-such-command",))
    deaf = survey(tmp_path, clips, known=known, hear=partial(hear_in_children, decoders=decoders))
    assert deaf == replace(first, decoded=0)
    assert len(known) == 9
    (tmp_path / "2.wav").write_bytes((tmp_path / "7.wav").read_bytes() + b"\0")
    third = survey(tmp_path, clips, known=known)
    assert third.decoded == 1


def test_an_unknown_failure_is_not_swallowed(tmp_path, clips):
    def broken(path):
        raise MemoryError

    with pytest.raises(MemoryError):
        survey(tmp_path, clips, hear=in_threads(broken))


def test_an_unreadable_file_that_was_known_missing_is_read_again(tmp_path):
    # No bytes, no hash: "" is never looked up.
    known = {"": Verdict(samples=1, audio_sha256="x")}
    result = survey(tmp_path, [Clip(path="none.wav", corpus="c")], known=known)
    assert [problem.path for problem in result.problems] == ["none.wav"]


def test_what_breaks_a_survey_off_is_what_its_decoders_are_closed_with(tmp_path, clips):
    reasons = []

    class Closable(Decoders):
        def hear(self, path):
            return "0" * 64, Verdict(1, "1" * 64)

        def close(self, reason=""):
            reasons.append(reason)
            super().close(reason)

    def stop(clips, seconds):
        raise KeyboardInterrupt

    decoders = Closable(1)
    with pytest.raises(KeyboardInterrupt):
        survey(tmp_path, clips, hear=partial(hear_in_children, decoders=decoders), advance=stop)
    (reason,) = reasons
    assert "broken off" in reason


def test_each_new_verdict_is_kept_before_the_next_is_told(tmp_path, clips):
    (tmp_path / "8.wav").write_bytes(b"no audio")
    (tmp_path / "0.wav").unlink()
    kept, counts = {}, []
    found = survey(
        tmp_path,
        clips,
        keep=kept.__setitem__,
        advance=lambda clips, seconds: counts.append(len(kept)),
    )
    assert len(kept) == 8
    for item in found.heard:
        assert kept[item.file_sha256] == Verdict(item.samples, item.audio_sha256)
    assert {item.path for item in found.problems} == {"8.wav", "0.wav"}
    assert counts == [1, 2, 3, 3, 4, 5, 6, 7, 8]  # the fourth has no bytes to be known by
    more = {}
    known = dict(list(kept.items())[:5])
    survey(tmp_path, clips, known=known, keep=more.__setitem__)
    assert known | more == kept
    assert not known.keys() & more.keys()


def test_a_survey_that_cannot_keep_ends(tmp_path, clips):
    def full(file_sha256, verdict):
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        survey(tmp_path, clips, keep=full)
    assert len(survey(tmp_path, clips).heard) == 9


def test_who_listens_is_asked_for_no_more_than_it_takes(tmp_path, clips):
    taken = []

    def one_by_one(paths, known):
        for path in paths:
            taken.append(path)
            yield from in_threads()(iter([path]), known)

    def counting():
        for number, clip in enumerate(clips):
            assert len(taken) >= number
            yield clip

    found = survey(tmp_path, counting(), hear=one_by_one)
    assert [item.clip for item in found.heard] == clips
    assert taken == [tmp_path / clip.path for clip in clips]


def test_a_clip_costs_a_few_hundred_bytes(tmp_path):
    clips = [Clip(path=f"{number}.wav", corpus="c") for number in range(5_000)]

    def fake(paths, known):
        for number, path in enumerate(paths):
            digest = hashlib.sha256(path.name.encode()).hexdigest()
            yield digest, Verdict(16_000 + number, digest[::-1])

    tracemalloc.start()
    try:
        found = survey(tmp_path, clips, hear=fake)
        count, held = len(found.heard), tracemalloc.get_traced_memory()[0]
        del found
        freed = held - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert count == 5_000
    assert 200 < freed / count < 400


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


def test_a_file_without_an_end_holds_nobody(tmp_path):
    """Files of the kernel say that they are empty; others may say any size, or grow."""
    file = tmp_path / "x"
    for size in (0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1):
        file.write_bytes(b"x" * size)
        assert hash_file(file) == hashlib.sha256(b"x" * size).hexdigest()
    endless = Path("/proc/self/pagemap")
    if endless.exists():
        (tmp_path / "link").symlink_to(endless)
        assert hash_file(tmp_path / "link") == hashlib.sha256().hexdigest()
    file.touch()
    os.truncate(file, LARGEST + 1)
    assert hash_file(file) == ""
    answers = hear_in_children([file], {"known": refused("before")})
    assert [verdict.reason for _, verdict in answers] == [
        "larger than 64 GiB, which no clip of two hours is"
    ]
    os.mkfifo(tmp_path / "pipe")
    assert hash_file(tmp_path / "pipe") == ""


def test_hashing_ends_when_nobody_waits(tmp_path):
    """Ctrl-C: a file that takes hours is left within a block."""
    file = tmp_path / "x"
    file.touch()
    os.truncate(file, 1 << 35)  # sparse
    asked = iter([False, False, True])
    assert hash_file(file, lambda: next(asked)) == ""
    assert next(asked, None) is None


def test_a_file_that_grows_while_it_is_hashed(tmp_path, monkeypatch):
    file = tmp_path / "x"
    file.write_bytes(b"x" * 100)

    def growing(path, *args, **options):
        opened = open(path, *args, **options)  # noqa: SIM115, PTH123  as it is called
        status = os.fstat(opened.fileno())
        file.write_bytes(b"x" * 300)
        monkeypatch.setattr(os, "fstat", lambda _: status)
        return opened

    monkeypatch.setattr("gensr.features.audio.hashes.open", growing, raising=False)
    assert hash_file(file) == ""
