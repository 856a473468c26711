"""Decoders are started when they are needed, wait for the next survey, and outlive nobody."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from gensr.estimator.errors import GensrError
from gensr.features.hearing.decoders import Decoders
from gensr.features.hearing.survey import _few, hear_in_children
from support import decoding
from support.processes import gone, wait_for, within


def test_a_process_that_died_idle_and_one_that_is_interrupted(root, worse):
    decoders = worse(1)
    expected = decoders.hear(root / "01.wav")
    os.kill(worse.pids()[-1], signal.SIGINT)
    assert decoders.hear(root / "01.wav") == expected
    assert len(worse.pids()) == 1
    os.kill(worse.pids()[-1], signal.SIGKILL)
    assert decoders.hear(root / "01.wav") == expected
    assert len(worse.pids()) == 2


def test_few_clips_start_one_process_and_none_before(root, worse):
    decoders = worse(16)
    assert not (root.parent / "child" / "pids").exists()
    decoding.listen(root, decoders)
    assert len(worse.pids()) == 1
    for number in range(4):
        decoding.write(root / f"hang{number}.wav", number)
    decoders = worse(4, seconds=2.0)
    decoding.listen(root, decoders)
    assert len(worse.pids()) > 2  # one that waits long is given another


def test_for_many_clips_all_start_at_once_and_nobody_waits_for_them(root, worse):
    decoders = worse(4)
    with within(2):
        decoders.expect(0)
        assert not (root.parent / "child" / "pids").exists()
        decoders.expect(301)
        decoders.expect(301)
    pids = root.parent / "child" / "pids"
    wait_for(lambda: pids.exists() and len(worse.pids()) == 4)
    assert decoders.hear(root / "01.wav") == decoding.heard_alone(root / "01.wav")
    decoding.listen(root, decoders)  # ends those that are idle, whether they have begun or not
    assert sorted(gone(pid) for pid in worse.pids()) == [False, True, True, True]
    decoders.close()
    decoders.expect(1_000)
    assert all(gone(pid) for pid in worse.pids())
    assert len(worse.pids()) == 4


def test_what_is_expected_of_a_machine_that_starts_nothing_is_said_when_it_is_asked(root):
    decoders = Decoders(2, command=("no-such-command",))
    decoders.expect(1_000)
    with pytest.raises(GensrError, match="no process to decode in"):
        decoders.hear(root / "01.wav")


@pytest.mark.parametrize("bad", ["hang.wav", "crash.wav"])
def test_of_several_clips_in_one_process_a_bad_one_costs_itself_alone(root, worse, bad):
    paths = sorted(root.glob("*.wav"))[:5]
    paths.insert(2, decoding.write(root / bad))
    paths.append(root / "none.wav")
    decoders = worse(2, seconds=2.0)
    found = decoders.hear_all(paths)
    assert len(found) == len(paths)
    for path, (file_sha, verdict) in zip(paths, found, strict=True):
        if path.name == bad:
            assert ("did not finish" if bad == "hang.wav" else "crashed") in verdict.reason
        elif path.name == "none.wav":
            assert "no such file" in verdict.reason
        else:
            assert (file_sha, verdict) == decoding.heard_alone(path)


def test_groups_are_small_at_first_and_end_with_a_large_file(tmp_path):
    files = [tmp_path / f"{number:04}" for number in range(400)]
    files[300].touch()
    os.truncate(files[300], 1 << 23)
    groups = list(_few(files, 2))
    assert [path for group in groups for path in group] == files
    assert [len(group) for group in groups[:8]] == [1] * 8
    assert max(map(len, groups)) == 16
    assert any(group[-1] == files[300] and len(group) < 16 for group in groups)


def test_one_process_waits_for_the_next_survey(root, worse):
    decoders = worse(2)
    paths = [decoding.write(root / name) for name in ("slow1.wav", "slow2.wav")]
    assert len(list(hear_in_children(paths, {}, decoders=decoders, rest=False))) == 2
    assert [gone(pid) for pid in worse.pids()] == [False, False]
    decoders.rest()
    assert sorted(gone(pid) for pid in worse.pids()) == [False, True]
    assert decoders.hear(root / "01.wav") == decoding.heard_alone(root / "01.wav")
    assert len(worse.pids()) == 2


def test_an_interrupted_survey_ends_at_once_and_leaves_nothing_running(root, worse):
    decoding.write(root / "hang.wav")

    def interrupt(clips, seconds):
        raise KeyboardInterrupt

    with within(10), pytest.raises(KeyboardInterrupt):
        decoding.listen(root, worse(), advance=interrupt)
    assert all(gone(pid) for pid in worse.pids())


def test_a_survey_that_another_one_ends_says_why(root, tmp_path, worse):
    """They share the decoders, as the tasks of a worker do; the second has no fault of its own."""
    decoders, said = worse(2), []
    other = tmp_path / "other"
    other.mkdir()
    decoding.write(other / "hang.wav")
    decoding.write(root / "last.wav")

    def second():
        try:
            decoding.listen(other, decoders)
        except GensrError as error:
            said.append(str(error))

    thread = threading.Thread(target=second)
    thread.start()
    wait_for(lambda: decoders._busy)
    with pytest.raises(GensrError, match="process does not start") as told:
        decoding.listen(root, decoders)
    thread.join(30)
    assert said == [str(told.value)]


def test_decoders_that_were_closed_keep_the_first_reason(root, worse):
    decoders = worse()
    decoders.close("the first")
    decoders.close("the second")
    with pytest.raises(GensrError, match=r"^the first$"):
        decoders.hear(root / "01.wav")
    closed = worse()
    closed.close()
    with pytest.raises(GensrError, match="closed while files were heard"):
        closed.hear(root / "01.wav")


def test_a_script_without_a_main_guard(root, tmp_path):
    code = """
import sys
from pathlib import Path
from gensr.features.corpora import Clip
from gensr.features.hearing.survey import survey
clips = [Clip(path=f"{number:02d}.wav", corpus="c") for number in range(12)]
print(len(survey(Path(sys.argv[1]), clips).heard))
assert "torch" not in sys.modules
"""
    result = decoding.run(tmp_path, code, root)
    assert (result.stdout, result.stderr) == ("12\n", "")


def test_a_fork_has_decoders_of_its_own(root, tmp_path):
    code = """
import os, sys
from pathlib import Path
from gensr.features.hearing.decoders import shared_decoders
path = Path(sys.argv[1])
first = shared_decoders().hear(path)
pid = os.fork()
if pid == 0:
    assert shared_decoders().hear(path) == first
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert shared_decoders().hear(path) == first
print("well", shared_decoders()._places)
"""
    result = decoding.run(tmp_path, code, root / "01.wav")
    assert (result.stdout, result.stderr) == ("well 1\n", "")


def test_nothing_outlives_a_parent_that_is_killed(root, worse, tmp_path):
    code = """
import sys
from pathlib import Path
from gensr.features.hearing.decoders import Decoders
decoders = Decoders(1, command=(sys.executable, sys.argv[1]))
decoders.hear(Path(sys.argv[2]) / "01.wav")
print("ready", flush=True)
decoders.hear(Path(sys.argv[2]) / "hang.wav")
"""
    decoding.write(root / "hang.wav")
    (tmp_path / "script.py").write_text(code)
    command = [sys.executable, tmp_path / "script.py", tmp_path / "child" / "worse.py", root]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"ready\n"
        time.sleep(0.3)  # it hangs now; ended before or after makes no difference to the claim
        parent.kill()
    deadline = time.monotonic() + 10
    while not gone(worse.pids()[0]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(worse.pids()[0])
