"""What is on both sides is fatal where it should be apart, and told where it may be."""

import numpy as np

from gensr.pipeline.lint.checks import checks
from gensr.pipeline.lint.findings import FATAL, NOTE, WARNING
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid

PEOPLE = [f"s{k}" for k in range(6)]


def _found(table, *, name="loso", allow_leaks=False):
    protocol = make_protocol(table, name=name, allow_leaks=True)
    return checks(table, protocol, allow_leaks=allow_leaks)


def _with_copy(table):
    """One clip of the last speaker has the audio of one of the first."""
    audio = table["audio_sha256"].copy()
    audio[-1] = audio[0]
    return {**table, "audio_sha256": audio}


def test_nothing_amiss():
    found = _found(grid("acme", PEOPLE))
    assert not found.fatal
    assert all(one.weight == NOTE for one in found.findings)


def test_identical_audio_on_both_sides_is_fatal_with_its_share():
    found = _found(_with_copy(grid("acme", PEOPLE)))
    assert found.fatal
    first = found.findings[0]
    assert (first.kind, first.weight) == ("leak", FATAL)
    assert (first.count, first.of) == (2, 72)
    assert "2 of 72 tested clips (2.8 %) are identical in audio" in first.line


def test_allowed_it_comes_first_all_the_same():
    found = _found(_with_copy(grid("acme", PEOPLE)), allow_leaks=True)
    assert not found.fatal
    assert (found.findings[0].kind, found.findings[0].weight) == ("leak", WARNING)


def test_identical_audio_on_one_side_is_no_leak():
    found = _found(_with_copy(grid("acme", PEOPLE)), name="kfold")
    assert not found.fatal
    assert any(one.kind == "repeated" for one in found.findings)


def test_other_overlaps_are_told_with_their_share():
    (sentences,) = [one for one in _found(grid("acme", PEOPLE)).findings if one.kind == "overlap"]
    assert sentences.weight == NOTE
    assert "72 of 72 tested clips (100.0 %) share their sentence" in sentences.line


def test_plain_values_say_the_same():
    found = _found(_with_copy(grid("acme", PEOPLE)))
    plain = found.as_json()
    assert plain["fatal"] is True
    assert plain["protocol"] == "loso"
    assert [one["line"] for one in plain["findings"]] == [one.line for one in found.findings]
    assert {one["column"] for one in plain["shortcuts"]} == {"sentence", "speaker", "gender"}


def test_a_protocol_that_breaks_its_promise_leaks(tmp_path):
    """A user's own division that promises speakers and does not keep them apart."""
    table = grid("acme", PEOPLE)
    fold = np.array([str(k % 3) for k in range(len(table["path"]))], object)
    file = tmp_path / "own.toml"
    file.write_text('name = "own"\napart = ["speaker"]\n[folds]\ncolumn = "fold"\n')
    found = checks(
        {**table, "fold": fold},
        make_protocol({**table, "fold": fold}, name=str(file), allow_leaks=True),
    )
    assert found.fatal
    assert "promises to keep apart" in found.findings[0].line
