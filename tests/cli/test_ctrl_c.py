"""Ctrl-C at any moment is one line, status 1, and leaves no process."""

import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from support.command import GENSR
from support.processes import group_of, hearing

CALLS = {
    "extract": "extract corpus --encoder fbank --out new/s.zarr --shard-clips 4 --verify 30",
    "train": "train tones.zarr --config tiny.toml --run new/run --steps 200 --overwrite",
    "eval": "eval runs/gen-ser --device cpu",
    "predict": "predict corpus --run runs/deployed --device cpu",
    "info": "info corpus",
}
SAID = r"gensr: interrupted; what is finished is kept.*--resume"
MEANWHILE = re.compile(r"\w+( [\w/.-]+)?: \d+/\d+ .*|note: .*|(\w+ )+.*: \d+.*")
OURS = re.compile(
    r'File "[^"]*/(?:cli|pipeline|features|estimator)/(?!start\.py", line \d+, in <module>)\w+\.py"'
)


def pressed(call, folder, delay, again=None):
    """Start a call, press Ctrl-C as a terminal does; return how it ended, and what it said."""
    process = subprocess.Popen(
        [GENSR, *call.split()],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hearing,
    )
    time.sleep(delay)
    for wait in (0, *([] if again is None else again)):
        time.sleep(wait)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=100)
    deadline = time.monotonic() + 60  # a decoder notices that its pipe is closed
    while group_of(process.pid):
        assert time.monotonic() < deadline, group_of(process.pid)
        time.sleep(0.02)
    return process.returncode, *said


def check(ended):
    """One line, unless all was done, or Python had not come to a line of gensr yet."""
    status, out, err = ended
    if status == 0:
        assert "interrupted" not in err
        return
    if status == -signal.SIGINT or (status == 1 and "KeyboardInterrupt" in err):
        assert not OURS.search(err), err
        return
    assert status == 1, ended
    assert "Traceback" not in out + err
    lines = [line for line in err.splitlines() if not MEANWHILE.fullmatch(line)]
    assert len(lines) == 1, err
    assert re.fullmatch(SAID, lines[0]), err


MOMENTS = {
    "before any work": ("press(); print('more')", 1, ""),
    "at work": ("start.at_work()\ntry:\n press()\nfinally:\n print('released')", 1, "released"),
    "in an import": (
        "start.at_work(); import mid; print(mid.whole); wait(); print(1)",
        1,
        "True",
    ),
    "in a finaliser": ("start.at_work(); Pressing(); wait(); print('lost')", 1, ""),
    "when all is done": ("start.at_work(); print('done'); atexit.register(press)", 0, "done"),
}
SCRIPT = """
import atexit, signal, time
from gensr.cli import start

def press():
    signal.raise_signal(signal.SIGINT)

def wait():
    time.sleep(20)

class Pressing:
    def __del__(self):
        press()

def command():
    exec({code!r}, globals())

start.run(command)
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_a_press_does_at_which_moment(moment, tmp_path):
    code, status, out = MOMENTS[moment]
    (tmp_path / "mid.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nwhole = True\n"
    )
    (tmp_path / "script.py").write_text(SCRIPT.format(code=code))
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=hearing,
    )
    assert (done.returncode, done.stdout.strip()) == (status, out), done.stderr
    assert re.fullmatch(f"({SAID}\n)?", done.stderr), done.stderr
    assert bool(done.stderr) == (status == 1)


def test_who_was_made_deaf_by_a_shell_stays_so(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.format(code="press(); print('on')"))
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "on\n", "")


@pytest.fixture
def place(home, tmp_path):
    """The home's files, and room for new ones."""
    for path in home.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "new").mkdir()
    return tmp_path


@pytest.mark.parametrize("call", CALLS)
def test_once(call, place):
    check(pressed(CALLS[call], place, random.Random(call).uniform(0.1, 0.7)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("call", CALLS)
def test_whenever_it_is(call, seed, place):
    """Once, or again and again by who has lost patience; then the same call goes on."""
    draw = random.Random(f"{call} {seed}")
    again = [draw.uniform(0, 0.3) for _ in range(draw.choice((0, 0, 3)))]
    for _ in range(3):
        check(pressed(CALLS[call], place, draw.uniform(0, 3), again))
