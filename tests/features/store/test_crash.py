"""Real accidents: killed processes, full and read-only disks, two writers."""

import json
import os
import random
import signal
import subprocess
import time

import pytest

from gensr.estimator.errors import StoreError
from gensr.features.store import open_store
from support import stub
from support.forking import forking
from support.processes import python, with_support
from support.trees import tree


def work(out):
    return out.with_name(out.name + ".work")


def kill_and_resume(corpus, out, kills, seed, longest=0.2):
    """SIGKILL an extraction at random moments after its first finished shard, then let it end.

    Returns:
        Clips encoded and skipped by the last run, and shards finished at each kill.
    """
    rng = random.Random(seed)
    print(f"seed {seed}")
    finished = []
    done = work(out) / "done"
    with forking("store_works") as calls:
        while len(finished) < kills:
            child = calls.begin("extract", corpus, out, 0.1)
            # A busy machine would be killed before it has done anything, again and again.
            stuck = len(finished) > 4 and finished[-1] == finished[-5]
            least = finished[-1] + 1 if stuck else 1
            while len(list(done.glob("*[0-9]"))) < least:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, longest))
            os.kill(child, signal.SIGKILL)
            status = calls.end().status
            assert status == -signal.SIGKILL, f"after {len(finished)} kills the run ended: {status}"
            finished.append(len(list(done.glob("*[0-9]"))))
        last = calls.call("extract", corpus, out, 0)
    assert last.status == 0
    encoded, skipped, clips = last.answer
    assert encoded + skipped == clips
    return encoded, skipped, finished


def test_killed_by_the_system(run, out, corpus):
    run(out.with_stem("expected"))
    encoded, skipped, finished = kill_and_resume(corpus, out, kills=3, seed=1)
    assert (encoded, skipped) == (20 - 4 * finished[-1], 4 * finished[-1])
    assert tree(out) == tree(out.with_stem("expected"))
    assert not work(out).exists()


@pytest.mark.slow
def test_killed_thirty_times_in_a_row(run, out, tmp_path):
    """One store, killed at thirty random moments, is what an uninterrupted run writes."""
    corpus = stub.write_corpus(tmp_path / "large", clips=200)
    run(out.with_stem("expected"), root=corpus)
    seed = random.randrange(2**32)
    encoded, skipped, finished = kill_and_resume(corpus, out, kills=30, seed=seed, longest=0.8)
    assert finished == sorted(finished)  # nothing that was finished is lost
    assert finished[-1] > finished[0]
    assert (encoded, skipped) == (200 - 4 * finished[-1], 4 * finished[-1])
    assert tree(out) == tree(out.with_stem("expected"))
    assert not work(out).exists()


def test_two_processes_on_one_store(run, corpus, out):
    expected = out.with_stem("expected")
    run(expected)
    first = subprocess.Popen(python("stub", corpus, out, 0.2), env=with_support())
    try:
        while not (work(out) / "plan.json").exists():
            assert first.poll() is None
            time.sleep(0.01)
        with pytest.raises(StoreError, match=rf"{out.name} is being written by another process"):
            run(out)
        with pytest.raises(StoreError, match=rf"{out.name} is not finished"):
            open_store(out)
    finally:
        first.kill()
        first.wait()
    run(out)  # the lock died with its owner
    assert tree(out) == tree(expected)


@pytest.fixture
def namespace():
    """Run small_disks.py where it may mount: namespace(*args) -> what it prints."""
    enter = ["unshare", "-rm"]
    try:
        allowed = subprocess.run([*enter, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare(1)")
    if allowed.returncode:
        pytest.skip(f"no namespace to mount in: {allowed.stderr.decode().strip()}")

    def call(*args):
        command = [*enter, *python("small_disks", *args)]
        found = subprocess.run(
            command, env=with_support(), capture_output=True, text=True, check=False
        )
        assert found.returncode == 0, found.stderr
        return [json.loads(line) for line in found.stdout.splitlines()]

    return call


def expect_full_disks(answers, sizes, out, expected):
    """One clear line each; then, with room, every store is the one expected."""
    for kib, answer in zip(sizes, answers, strict=True):
        error = answer["first"].get("error", "")
        if error:
            assert "\n" not in error
            assert "No space left on device; what was finished is kept" in error
        second = answer["second"]
        assert second["clips"] == second["encoded"] + second["skipped"]
        if error:
            assert second["skipped"] == 4 * answer["marked"] or second["encoded"] == 0
        assert answer["left"] == [out.name]
        assert tree(out.with_name(f"{kib}-{out.name}")) == expected


def test_a_disk_that_fills_up(namespace, run, out, tmp_path):
    corpus = stub.write_corpus(tmp_path / "large", clips=100)
    run(out.with_stem("expected"), root=corpus)
    (answer,) = namespace("full", corpus, tmp_path, out.name, 160)
    assert "error" in answer["first"]
    assert answer["marked"] > 3
    assert answer["second"]["skipped"] > 12
    expect_full_disks([answer], [160], out, tree(out.with_stem("expected")))


@pytest.mark.slow
def test_disks_that_fill_up_at_every_stage(namespace, run, out, tmp_path):
    """From one that has no room for the survey to one that is large enough."""
    corpus = stub.write_corpus(tmp_path / "large", clips=60)
    run(out.with_stem("expected"), root=corpus)
    sizes = range(8, 600, 28)
    answers = namespace("full", corpus, tmp_path, out.name, *sizes)
    failed = ["error" in answer["first"] for answer in answers]
    assert failed == sorted(failed, reverse=True)  # more room never is the worse
    assert 5 < sum(failed) < len(sizes)
    expect_full_disks(answers, sizes, out, tree(out.with_stem("expected")))


def test_a_read_only_disk(namespace, run, corpus, out, tmp_path):
    run(out.with_stem("expected"))
    empty, store = namespace("read-only", corpus, tmp_path, out.name)
    for answer in (empty, store):
        assert f"{out.name} cannot be written or read: Read-only file system" in answer["error"]
        assert "\n" not in answer["error"]
    assert tree(out.with_name(f"after-{out.name}")) == tree(out.with_stem("expected"))
