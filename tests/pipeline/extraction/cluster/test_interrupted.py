"""Ctrl-C while workers are at work: one line, nothing left behind, and the same call goes on."""

import os
import signal
import subprocess
import time
from contextlib import suppress

import numpy as np
import pytest
import soundfile
from distributed import Client

from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support.command import GENSR
from support.processes import group_of, hearing
from support.trees import tree

OPTIONS = "--encoder fbank --shard-clips 4 --allow-errors 1 --workers 2 --verify 90"
SHARDS = 23

pytestmark = pytest.mark.slow


def begun(stage, root, client):
    """Wait until a stage is under way."""
    work = root / "s.zarr.work"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert client.poll() is None, client.stderr.read()
        log, marks = work / "survey.jsonl", work / "done"
        heard = log.exists() and log.stat().st_size > 2_000
        marked = len(list(marks.iterdir())) if marks.is_dir() else 0
        reached = {
            "begun": work.exists(),
            "start": len(group_of(client.pid)) > 1,
            "survey": heard and not marked,
            "encode": marked >= 2,
            "verify": marked >= SHARDS,
        }
        if reached[stage]:
            return
        time.sleep(0.005)
    raise AssertionError(f"{stage} was not reached")


def interrupted(stage, pressed, command, folder):
    """Run until a stage, and press Ctrl-C: the processes that hear it, and whether once."""
    client = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal of its own
        preexec_fn=hearing,
    )
    press, impatient = pressed
    begun(stage, folder, client)
    press(client.pid, signal.SIGINT)
    deadline = time.monotonic() + 300
    while impatient and client.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        with suppress(ProcessLookupError):
            press(client.pid, signal.SIGINT)
    _, told = client.communicate(timeout=300)
    lines = [
        line for line in told.splitlines() if not line.startswith(("survey:", "encode:", "verify:"))
    ]
    assert client.returncode == 1, told
    assert len(lines) == 1, told
    assert lines[0].startswith("gensr: interrupted; what is finished is kept")
    deadline = time.monotonic() + 60  # a decoder notices that its pipe is closed
    while group_of(client.pid):
        assert time.monotonic() < deadline, group_of(client.pid)
        time.sleep(0.1)


def test_workers_of_a_cluster_that_is_there_are_left_idle_and_the_same_call_goes_on(
    corpus, tmp_path, scheduler
):
    """They are not this call's: they stay, with nothing to do."""
    for number in range(60):
        noise = np.random.default_rng(number).normal(0, 0.1, 16_000)
        soundfile.write(corpus / f"sad/more{number}.wav", noise, 16_000)
    workers = [scheduler.worker(f"w{number}") for number in range(2)]
    options = OPTIONS.replace("--workers 2", f"--cluster {scheduler.address}")
    command = [GENSR, "extract", "corpus", "--out", "s.zarr", *options.split()]
    interrupted("begun", (os.killpg, True), command, tmp_path)
    interrupted("survey", (os.killpg, False), command, tmp_path)
    interrupted("encode", (os.killpg, True), command, tmp_path)
    interrupted("verify", (os.killpg, False), command, tmp_path)
    with Client(scheduler.address, set_as_default=False) as client:
        assert len(client.nthreads()) == len(workers)
        deadline = time.monotonic() + 60
        while any(client.processing().values()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert [process.poll() for process in workers] == [None, None]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    alone = ExtractConfig(encoder="fbank", shard_clips=4, allow_errors=1)
    extract(corpus, tmp_path / "alone.zarr", alone)
    found, expected = tree(tmp_path / "s.zarr"), tree(tmp_path / "alone.zarr")
    assert all(found[name] == expected[name] for name in expected if "/c/" in name)


def test_ctrl_c_ends_in_one_line_leaves_no_process_and_the_same_call_goes_on(corpus, tmp_path):
    """In one extraction, again and again; a terminal's Ctrl-C goes to all that it has started."""
    for number in range(60):
        noise = np.random.default_rng(number).normal(0, 0.1, 16_000)
        soundfile.write(corpus / f"sad/more{number}.wav", noise, 16_000)
    command = [GENSR, "extract", "corpus", "--out", "s.zarr", *OPTIONS.split()]
    interrupted("start", (os.killpg, True), command, tmp_path)
    interrupted("survey", (os.kill, False), command, tmp_path)
    interrupted("encode", (os.killpg, True), command, tmp_path)
    interrupted("verify", (os.killpg, False), command, tmp_path)
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=300)
    alone = ExtractConfig(encoder="fbank", shard_clips=4, allow_errors=1)
    extract(corpus, tmp_path / "alone.zarr", alone)
    found, expected = tree(tmp_path / "s.zarr"), tree(tmp_path / "alone.zarr")
    shards = [name for name in expected if "/c/" in name]
    assert len([name for name in shards if "vectors" in name]) == SHARDS
    assert all(found[name] == expected[name] for name in shards)
