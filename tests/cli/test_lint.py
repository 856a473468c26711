"""`gensr lint` as it is called."""

import json


def test_a_store(gensr, home):
    said = gensr("lint", home / "tones.zarr")
    assert said.status == 0
    assert "one column alone" in said.out
    assert "0 fatal" in said.out


def test_plain_values(gensr, home):
    said = gensr("lint", home / "tones.zarr", "--json")
    found = json.loads(said.out)
    assert found["fatal"] is False
    assert {"sentence", "speaker", "gender"} <= {one["column"] for one in found["shortcuts"]}


def test_a_protocol_that_is_none_is_one_line(gensr, home):
    said = gensr("lint", home / "tones.zarr", "--protocol", "nothing")
    assert said.status == 1
    assert said.err.startswith("gensr: no protocol 'nothing'")
    assert len(said.err.splitlines()) == 1


def test_a_leak_exits_with_1_unless_it_is_allowed(gensr, home, tmp_path):
    import shutil

    import soundfile

    corpus = shutil.copytree(home / "corpus", tmp_path / "corpus")
    files = sorted(corpus.rglob("*.wav"))
    wave, rate = soundfile.read(files[0], dtype="int16")
    soundfile.write(files[-1], wave, rate)
    said = gensr("lint", corpus)
    assert said.status == 1
    assert said.out.startswith("fatal: leak: ")
    assert "identical in audio" in said.out.splitlines()[0]
    allowed = gensr("lint", corpus, "--allow-leaks")
    assert allowed.status == 0
    assert allowed.out.startswith("warning: leak: ")


def test_training_keeps_what_was_found(home):
    found = json.loads((home / "runs/gen-ser/checks.json").read_text())
    protocol = json.loads((home / "runs/gen-ser/protocol.json").read_text())
    assert found["hash"] == protocol["hash"]
    assert found["fatal"] is False
    assert [one["column"] for one in found["shortcuts"]][:2] == ["sentence", "speaker"]
