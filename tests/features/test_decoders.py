"""A clip that crashes its decoder, or never lets it go, costs itself and no other."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import AudioError, GensrError
from gensr.features import audio
from gensr.features.audio import read_audio
from gensr.features.corpora import Clip
from gensr.features.decoders import Decoders, read_again, shared_decoders
from gensr.features.survey import hash_file, hear_in_children, survey
from gensr.features.verdict import Verdict

WORSE_CHILD = """
import os, signal, sys, time
from pathlib import Path
from gensr.features import decode_child

HERE = Path(__file__).parent
with open(HERE / "pids", "a") as pids:
    print(os.getpid(), file=pids)
decode = decode_child.decode

def worse(file, segment=None):
    name = Path(os.fsdecode(file.name)).name
    if name.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("once") and not (HERE / "crashed").exists():
        (HERE / "crashed").touch()
        os.abort()
    if name.startswith("hang"):
        time.sleep(1000)
    if name.startswith("slow"):
        time.sleep(2)
    if name.startswith("print"):
        os.write(1, b"[1]\\n" * 100)
        os.write(2, b"x" * 1_000_000)
    if name.startswith("odd"):
        raise KeyError("of the decoder's own")
    if name.startswith("memory"):
        raise MemoryError
    if name.startswith("late"):
        decode_child.to_16_khz = late
    if name.startswith("last"):
        os.unlink(__file__)
        os.abort()
    return decode(file, segment)

def late(samples, rate):
    time.sleep(4)
    return to_16_khz(samples, rate)

to_16_khz = decode_child.to_16_khz
decode_child.decode = worse
decode_child.main()
"""


@pytest.fixture
def worse(tmp_path):
    """Make decoders whose process misbehaves on some names; they are closed at the end."""
    folder = tmp_path / "child"
    folder.mkdir()
    (folder / "worse.py").write_text(WORSE_CHILD)
    made = []

    def make(count=2, **settings):
        decoders = Decoders(count, command=(sys.executable, str(folder / "worse.py")), **settings)
        made.append(decoders)
        return decoders

    make.pids = lambda: [int(line) for line in (folder / "pids").read_text().split()]
    yield make
    for decoders in made:
        decoders.close()


def write(path, seed=0, rate=16_000):
    noise = np.random.default_rng(seed).normal(0, 0.1, 800 + 10 * seed)
    soundfile.write(os.fsencode(path), noise, rate, format="WAV", subtype="FLOAT")
    return path


def heard_alone(path):
    wave = read_audio(path)
    return wave.file_sha256, Verdict(len(wave.samples), wave.sha256)


def listen(root, decoders, **how):
    clips = [Clip(path=path.name, corpus="c") for path in sorted(root.glob("*.wav"))]
    return survey(root, clips, hear=partial(hear_in_children, decoders=decoders), **how)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(12):
        write(folder / f"{number:02d}.wav", number)
    return folder


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "\nState:\tZ" in status.read_text()


@contextmanager
def within(seconds):
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def test_a_crash_costs_one_clip_by_name(root, worse):
    write(root / "crash.wav", 33)
    kept = {}
    found = listen(root, worse(), keep=kept.__setitem__)
    assert [(problem.path, problem.reason[:34]) for problem in found.problems] == [
        ("crash.wav", "the decoder crashed (SIGSEGV); con")
    ]
    assert "ffmpeg" in found.problems[0].reason
    assert [item.clip.path for item in found.heard] == [f"{number:02d}.wav" for number in range(12)]
    for item in found.heard:
        answer = (item.file_sha256, Verdict(item.samples, item.audio_sha256))
        assert answer == heard_alone(root / item.clip.path)
    # A resumed run shall come to the same rows: what crashed is known by its bytes too.
    assert len(kept) == 13
    again = listen(root, worse(), known=kept)
    assert (again.decoded, again.heard, again.problems) == (0, found.heard, found.problems)


def test_a_crash_by_chance_costs_nothing(root, worse):
    path = write(root / "once.wav")
    assert worse().hear(path) == heard_alone(path)


def test_a_clip_that_never_ends_costs_its_time_once(root, worse):
    write(root / "hang1.wav")
    write(root / "hang2.wav", 7)
    with within(20):
        found = listen(root, worse(seconds=1.0))
    reason = "the decoder did not finish within 1 s"
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        ("hang1.wav", reason),
        ("hang2.wav", reason),
    ]
    assert len(found.heard) == 12


def test_larger_files_have_more_time(tmp_path, worse):
    path = write(tmp_path / "hang.wav")
    with path.open("r+b") as file:
        file.truncate(5_000_000)
    _, verdict = worse(seconds=0.5, seconds_per_megabyte=0.3).hear(path)
    assert verdict.reason == "the decoder did not finish within 2 s"


def test_failures_of_the_decoders_own_are_reasons(root, worse):
    decoders = worse(1)
    (_, odd), (_, memory) = (decoders.hear(write(root / name)) for name in ("odd", "memory"))
    assert odd.reason == 'the decoder failed (KeyError: "of the decoder\'s own")'
    assert "more memory than is free" in memory.reason
    assert len(worse.pids()) == 1


def test_what_no_file_can_do_without_stops_the_survey(root, worse):
    write(root / "last.wav")
    with pytest.raises(GensrError, match=r"process does not start: .*worse\.py"):
        listen(root, worse())


def test_a_process_that_does_not_start_is_told_with_its_last_words(tmp_path):
    (tmp_path / "x.py").write_text("import no_such_module")
    decoders = Decoders(2, command=(sys.executable, str(tmp_path / "x.py")))
    with pytest.raises(GensrError, match=r"does not start: .*no_such_module"):
        decoders.hear(write(tmp_path / "a.wav"))
    with pytest.raises(GensrError, match=r"can be started \(No such file"):
        Decoders(1, command=(str(tmp_path / "no-python"),)).hear(tmp_path / "a.wav")


def test_what_a_library_prints_is_no_answer(root, worse, capfd):
    path = write(root / "print.wav")
    assert worse(1).hear(path) == heard_alone(path)
    assert capfd.readouterr() == ("", "")


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
    listen(root, decoders)
    assert len(worse.pids()) == 1
    for number in range(4):
        write(root / f"hang{number}.wav", number)
    decoders = worse(4, seconds=2.0)
    listen(root, decoders)
    assert len(worse.pids()) > 2  # one that waits long is given another


NAMES = [
    "new\nline.wav",
    'quote".wav',
    "back\\slash.wav",
    "\u00e4\u4e2d\U0001f600.wav",
    "tab\t.wav",
    " .wav",
    "-P",
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_names(tmp_path, name):
    path = write(tmp_path / name)
    assert shared_decoders().hear(path) == heard_alone(path)


def test_names_that_are_not_utf_8(tmp_path):
    try:
        path = write(tmp_path / os.fsdecode(b"caf\xe9\xff.wav"))
    except (OSError, soundfile.LibsndfileError):
        pytest.skip("this file system takes UTF-8 alone")
    assert shared_decoders().hear(path) == heard_alone(path)


def test_relative_paths_follow_this_process(tmp_path, monkeypatch):
    for number, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.wav", number)
        monkeypatch.chdir(tmp_path / folder)
        assert shared_decoders().hear(Path("a.wav")) == heard_alone(tmp_path / folder / "a.wav")


def test_other_rates_are_heard_alike(tmp_path):
    path = write(tmp_path / "a.wav", 50, rate=22_050)
    assert shared_decoders().hear(path) == heard_alone(path)


def test_resampling_has_time_to_load_what_it_needs(root, worse, monkeypatch):
    path = write(root / "late.wav", 50, rate=22_050)
    decoders = worse(1, seconds=2.0)
    assert decoders.hear(path) == heard_alone(path)
    decoders.rest()
    decoders = worse(1, seconds=2.0)
    decoders.hear(root / "01.wav")
    monkeypatch.setattr("gensr.features.decoding_process._START_SECONDS", 3.0)
    assert decoders.hear(path)[1].reason == "the decoder did not finish within 3 s"


def test_a_scipy_that_does_not_load_is_no_fault_of_the_clips(root, tmp_path):
    """The rest would be a store, without the clips of other rates."""
    (tmp_path / "no_scipy.py").write_text(
        "import sys; sys.modules['scipy.signal'] = None\n"
        "from gensr.features import decode_child; decode_child.main()"
    )
    write(root / "other.wav", rate=22_050)
    decoders = Decoders(1, command=(sys.executable, str(tmp_path / "no_scipy.py")))
    with pytest.raises(GensrError, match=r"scipy\.signal cannot be imported .*: install"):
        listen(root, decoders)


def test_one_process_waits_for_the_next_survey(root, worse):
    decoders = worse(2)
    paths = [write(root / name) for name in ("slow1.wav", "slow2.wav")]
    assert len(list(hear_in_children(paths, {}, decoders=decoders, rest=False))) == 2
    assert [gone(pid) for pid in worse.pids()] == [False, False]
    decoders.rest()
    assert sorted(gone(pid) for pid in worse.pids()) == [False, True]
    assert decoders.hear(root / "01.wav") == heard_alone(root / "01.wav")
    assert len(worse.pids()) == 2


def test_an_interrupted_survey_ends_at_once_and_leaves_nothing_running(root, worse):
    write(root / "hang.wav")

    def interrupt(clips, seconds):
        raise KeyboardInterrupt

    with within(10), pytest.raises(KeyboardInterrupt):
        listen(root, worse(), advance=interrupt)
    assert all(gone(pid) for pid in worse.pids())


def wait_for(true):
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_survey_that_another_one_ends_says_why(root, tmp_path, worse):
    """They share the decoders, as the tasks of a worker do; the second has no fault of its own."""
    decoders, said = worse(2), []
    other = tmp_path / "other"
    other.mkdir()
    write(other / "hang.wav")
    write(root / "last.wav")

    def second():
        try:
            listen(other, decoders)
        except GensrError as error:
            said.append(str(error))

    thread = threading.Thread(target=second)
    thread.start()
    wait_for(lambda: decoders._busy)
    with pytest.raises(GensrError, match="process does not start") as told:
        listen(root, decoders)
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


def run(tmp_path, code, *arguments):
    script = tmp_path / "script.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_a_script_without_a_main_guard(root, tmp_path):
    code = """
import sys
from pathlib import Path
from gensr.features.corpora import Clip
from gensr.features.survey import survey
clips = [Clip(path=f"{number:02d}.wav", corpus="c") for number in range(12)]
print(len(survey(Path(sys.argv[1]), clips).heard))
assert "torch" not in sys.modules
"""
    result = run(tmp_path, code, root)
    assert (result.stdout, result.stderr) == ("12\n", "")


def test_a_fork_has_decoders_of_its_own(root, tmp_path):
    code = """
import os, sys
from pathlib import Path
from gensr.features.decoders import shared_decoders
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
    result = run(tmp_path, code, root / "01.wav")
    assert (result.stdout, result.stderr) == ("well 1\n", "")


def test_nothing_outlives_a_parent_that_is_killed(root, worse, tmp_path):
    code = """
import sys
from pathlib import Path
from gensr.features.decoders import Decoders
decoders = Decoders(1, command=(sys.executable, sys.argv[1]))
decoders.hear(Path(sys.argv[2]) / "01.wav")
print("ready", flush=True)
decoders.hear(Path(sys.argv[2]) / "hang.wav")
"""
    write(root / "hang.wav")
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


def test_what_libmpg123_thinks_of_a_file_is_told_to_nobody(tmp_path):
    """It writes to standard error itself, in the middle of a progress bar and without the name."""
    time = np.arange(48_000) / 16_000
    path = tmp_path / "a.mp3"
    soundfile.write(path, 0.3 * np.sin(900 * time), 16_000, format="MP3")
    data = bytearray(path.read_bytes())
    place = data.index(b"Info") if b"Info" in data else data.index(b"Xing")
    data[place + 12 : place + 16] = (len(data) * 9).to_bytes(4, "big")  # bytes of the stream
    path.write_bytes(data)
    code = """
import sys
from pathlib import Path
from gensr.features.audio import read_audio
from gensr.features.decoders import shared_decoders
from gensr.features.encoding import Clips
path = Path(sys.argv[1])
if sys.argv[2] == "itself":
    read_audio(path)
else:
    sha, verdict = shared_decoders().hear(path)
    clips = Clips(
        root=path.parent,
        paths=(path.name,),
        samples=(verdict.samples,),
        file_sha256=(sha,),
        audio_sha256=(verdict.audio_sha256,),
    )
    print(len(clips.read(0)) == verdict.samples > 40_000)
"""
    assert "Xing" in run(tmp_path, code, path, "itself").stderr  # or the test shows nothing
    result = run(tmp_path, code, path, "apart")
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_samples_come_from_the_process_whole_and_of_the_bytes_that_were_heard(root, worse):
    decoders = worse(1)
    path = root / "01.wav"
    heard, alone = decoders.hear(path), read_audio(path)
    found = decoders.read(path, heard[0])
    np.testing.assert_array_equal(found.samples, alone.samples)
    assert found.file_sha256 == heard[0]
    write(path, 44)
    with pytest.raises(AudioError, match=r"^changed since it was first heard$") as told:
        decoders.read(path, heard[0])
    assert told.value.__cause__ is None
    with pytest.raises(AudioError, match="crashed") as told:
        decoders.read(write(root / "crash.wav"), hash_file(root / "crash.wav"))
    assert isinstance(told.value.__cause__, OSError)  # another attempt may succeed
    np.testing.assert_array_equal(
        decoders.read(path, hash_file(path)).samples, read_audio(path).samples
    )


def test_what_is_not_decoded_in_this_process_comes_from_another(tmp_path, monkeypatch):
    time = np.arange(16_000) / 16_000
    for name, form in (("a.mp3", "MP3"), ("a.ogg", "OGG"), ("a.wav", "WAV")):
        soundfile.write(tmp_path / name, 0.3 * np.sin(900 * time), 16_000, format=form)
    expected = {path.name: read_audio(path) for path in sorted(tmp_path.iterdir())}
    here = []
    decode = audio.decode
    monkeypatch.setattr(audio, "decode", lambda file, *part: here.append(file.name) or decode(file))
    for name, wave in expected.items():
        again = read_again(tmp_path / name, wave.file_sha256)
        np.testing.assert_array_equal(again.samples, wave.samples)
    assert [Path(name).name for name in here] == ["a.wav"]
    with pytest.raises(AudioError, match="changed since"):
        read_again(tmp_path / "a.mp3", "0" * 64)
