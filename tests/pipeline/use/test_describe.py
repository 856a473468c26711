"""What `gensr info` says is what is there."""

import pytest

from gensr.estimator.errors import GensrError
from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.use.describe import describe
from support import tones


def facts(path):
    found = describe(path)
    names = [name for name, _ in found.facts]
    assert len(names) == len(set(names))
    return dict(found.facts), found


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
def test_a_store(suffix, corpus, store, fbank, tmp_path):
    path = store if suffix == ".zarr" else fbank(corpus, tmp_path / "s.h5")
    known, found = facts(path)
    assert found.title == f"store {path}"
    assert known["clips"].startswith("36, 0.00 h")
    assert known["encoder"] == "fbank (fbank)"
    assert known["layers"].startswith("11 x 80: std, flux")
    assert known["emotion"] == "angry 12, happy 12, sad 12"
    assert known["gender"] == "female 18, male 18"
    assert known["speakers"] == "4"
    assert known["identical audio"] == "0 clips"
    assert known["context"] == "clip"
    assert known["sentences"] == "3"
    takes = known["--label takes"].split(", ")
    assert {"emotion (3)", "gender (2)", "speaker (4)", "sentence (3)"} <= {*takes}
    with open_store(path) as opened:
        assert opened.fingerprint().startswith(known["hash"])


def test_a_store_names_what_it_could_not_use_and_what_is_there_twice(tmp_path):
    root = tones.write_corpus(tmp_path / "c", sentences=1)
    (root / "DC/sad-0.wav").write_bytes((root / "DC/angry-0.wav").read_bytes())
    (root / "JE/sad-0.wav").write_text("not audio")
    config = ExtractConfig(encoder="fbank")
    assert not extract(root, tmp_path / "s.zarr", config).ok
    known, found = facts(tmp_path / "s.zarr")
    assert known["clips"].startswith("11,")
    assert known["identical audio"] == "1 clips"
    assert len(found.notes) == 1
    assert found.notes[0].startswith("unusable: JE/sad-0.wav: unreadable")


def test_a_corpus(tmp_path):
    root = tones.write_corpus(tmp_path / "c", sentences=1)
    (root / "DC/sad-0.wav").unlink()
    known, found = facts(root)
    assert (known["clips"], known["speakers"]) == ("11", "4")
    assert known["emotion"] == "angry 4, happy 4, sad 3"
    assert known["canonical"] == "anger 4, happiness 4, sadness 3"
    assert found.notes == ("unusable: DC/sad-0.wav: line 4: no such file",)
    assert facts(root / "manifest.csv")[0]["clips"] == "11"


def test_a_run(finished, deployed, copied):
    known, found = facts(finished)
    assert found.title == f"run {finished}"
    assert known["state"] == "finished"
    assert known["model"] == "gen-ser, preset small"
    assert known["protocol"].startswith("emodb-loso (")
    assert known["keeps apart"] == "speaker"
    assert known["label"] == "emotion: angry, happy, sad"
    assert known["folds"].startswith("1: speaker DC, 2: speaker JE")
    assert (known["clips"], known["steps"], known["seed"]) == ("36", "12", "0")
    assert "keeps apart" not in facts(deployed)[0]
    half = copied(finished)
    (half / "predictions.csv").unlink()
    assert facts(half)[0]["state"] == "unfinished; --resume goes on with it"


@pytest.mark.parametrize("name", ["gone", "gone.zarr", "gone.h5"])
def test_nothing(name, tmp_path):
    with pytest.raises(GensrError, match=name):
        describe(tmp_path / name)


def test_neither(tmp_path):
    with pytest.raises(GensrError, match="holds no audio file"):
        describe(tmp_path)
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(GensrError, match=r"text\.txt: is a file"):
        describe(tmp_path / "text.txt")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, True),
        ({"options": {"inputs": {"way": "sum", "layers": "alike"}}}, False),
        ({"layers": ("auto",)}, True),
        ({"model": "closed-form", "settings": None, "steps": None}, True),
        ({"options": {"inputs": {"way": "concat", "layers": "auto"}, "members": 2}}, True),
        ({"model": "svm", "settings": None, "steps": None}, False),
    ],
)
def test_a_run_says_how_much_each_layer_counts(asked, told, fit, tmp_path):
    run = fit(tmp_path / "run", **{"steps": 2, **asked}).run
    known, _ = facts(run.folder)
    assert ("layer scores" in known) == told
    if not told:
        return
    said = known["layer scores"]
    assert "6 others " in said
    shares = [float(part.split()[-1]) for part in said.split(";")[0].split(", ")]
    assert sum(shares) == pytest.approx(1, abs=0.03)
    assert shares[:5] == sorted(shares[:5], reverse=True)
    assert {part.split()[0] for part in said.split(", ")[:5]} <= {*run.config.layers}


def test_a_damaged_model_has_no_scores(fit, tmp_path):
    run = fit(tmp_path / "run", steps=2, fold="1").run
    (run.folder / "folds/1/model.safetensors").write_bytes(b"damaged")
    with pytest.raises(GensrError, match=r"model\.safetensors cannot be read .* train again"):
        describe(run.folder)
