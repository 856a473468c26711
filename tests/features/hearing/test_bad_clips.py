"""A clip that crashes its decoder, or never lets it go, costs itself and no other."""

import sys

import pytest

from gensr.estimator.errors import GensrError
from gensr.features.hearing.decoders import Decoders
from gensr.features.hearing.verdict import Verdict
from support import decoding
from support.processes import within


def test_a_crash_costs_one_clip_by_name(root, worse):
    decoding.write(root / "crash.wav", 33)
    kept = {}
    found = decoding.listen(root, worse(), keep=kept.__setitem__)
    assert [(problem.path, problem.reason[:34]) for problem in found.problems] == [
        ("crash.wav", "the decoder crashed (SIGSEGV); con")
    ]
    assert "ffmpeg" in found.problems[0].reason
    assert [item.clip.path for item in found.heard] == [f"{number:02d}.wav" for number in range(12)]
    for item in found.heard:
        answer = (item.file_sha256, Verdict(item.samples, item.audio_sha256))
        assert answer == decoding.heard_alone(root / item.clip.path)
    # A resumed run shall come to the same rows: what crashed is known by its bytes too.
    assert len(kept) == 13
    again = decoding.listen(root, worse(), known=kept)
    assert (again.decoded, again.heard, again.problems) == (0, found.heard, found.problems)


def test_a_crash_by_chance_costs_nothing(root, worse):
    path = decoding.write(root / "once.wav")
    assert worse().hear(path) == decoding.heard_alone(path)


def test_a_clip_that_never_ends_costs_its_time_once(root, worse):
    decoding.write(root / "hang1.wav")
    decoding.write(root / "hang2.wav", 7)
    with within(20):
        found = decoding.listen(root, worse(seconds=1.0))
    reason = "the decoder did not finish within 1 s"
    assert [(problem.path, problem.reason) for problem in found.problems] == [
        ("hang1.wav", reason),
        ("hang2.wav", reason),
    ]
    assert len(found.heard) == 12


def test_larger_files_have_more_time(tmp_path, worse):
    path = decoding.write(tmp_path / "hang.wav")
    with path.open("r+b") as file:
        file.truncate(5_000_000)
    _, verdict = worse(seconds=0.5, seconds_per_megabyte=0.3).hear(path)
    assert verdict.reason == "the decoder did not finish within 2 s"


def test_failures_of_the_decoders_own_are_reasons(root, worse):
    decoders = worse(1)
    (_, odd), (_, memory) = (
        decoders.hear(decoding.write(root / name)) for name in ("odd", "memory")
    )
    assert odd.reason == 'the decoder failed (KeyError: "of the decoder\'s own")'
    assert "more memory than is free" in memory.reason
    assert len(worse.pids()) == 1


def test_what_no_file_can_do_without_stops_the_survey(root, worse):
    decoding.write(root / "last.wav")
    with pytest.raises(GensrError, match=r"process does not start: .*worse\.py"):
        decoding.listen(root, worse())


def test_a_process_that_does_not_start_is_told_with_its_last_words(tmp_path):
    (tmp_path / "x.py").write_text("import no_such_module")
    decoders = Decoders(2, command=(sys.executable, str(tmp_path / "x.py")))
    with pytest.raises(GensrError, match=r"does not start: .*no_such_module"):
        decoders.hear(decoding.write(tmp_path / "a.wav"))
    with pytest.raises(GensrError, match=r"can be started \(No such file"):
        Decoders(1, command=(str(tmp_path / "no-python"),)).hear(tmp_path / "a.wav")


def test_a_scipy_that_does_not_load_is_no_fault_of_the_clips(root, tmp_path):
    """The rest would be a store, without the clips of other rates."""
    (tmp_path / "no_scipy.py").write_text(
        "import sys; sys.modules['scipy.signal'] = None\n"
        "from gensr.features.hearing import decode_child; decode_child.main()"
    )
    decoding.write(root / "other.wav", rate=22_050)
    decoders = Decoders(1, command=(sys.executable, str(tmp_path / "no_scipy.py")))
    with pytest.raises(GensrError, match=r"scipy\.signal cannot be imported .*: install"):
        decoding.listen(root, decoders)


def test_resampling_has_time_to_load_what_it_needs(root, worse, monkeypatch):
    path = decoding.write(root / "late.wav", 50, rate=22_050)
    decoders = worse(1, seconds=2.0)
    assert decoders.hear(path) == decoding.heard_alone(path)
    decoders.rest()
    decoders = worse(1, seconds=2.0)
    decoders.hear(root / "01.wav")
    monkeypatch.setattr("gensr.features.hearing.decoding_process._START_SECONDS", 3.0)
    assert decoders.hear(path)[1].reason == "the decoder did not finish within 3 s"
