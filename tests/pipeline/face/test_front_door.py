"""`import gensr`: what it names, what it costs, and that every door takes every kind of place."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import soundfile
from upath import UPath

import gensr
from gensr.estimator.errors import ConfigError, RunError
from gensr.features.corpora.errors import CorpusError
from gensr.features.store.where import each, local, located

FACE = Path(__file__).parents[3] / "pipeline/face/__init__.py"


class Elsewhere:
    """A path of another library."""

    def __init__(self, path):
        self.path = str(path)

    def __fspath__(self):
        return self.path


KINDS = (str, Path, Elsewhere, UPath, lambda path: f"file://{path}", lambda path: bytes(path))


def test_every_name_is_there_and_no_other():
    assert sorted(gensr.__all__) == dir(gensr)
    for name in gensr.__all__:
        assert getattr(gensr, name) == getattr(gensr, name)
    with pytest.raises(AttributeError, match="module 'gensr' has no attribute 'nonsense'"):
        _ = gensr.nonsense


def test_type_checkers_see_the_names_that_python_gives():
    ifs = [node for node in ast.parse(FACE.read_text()).body if isinstance(node, ast.If)]
    imported = {
        (node.module, alias.name)
        for node in ifs[0].body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {(home, name) for home, names in gensr._HOMES.items() for name in names}
    assert {name for _, name in imported} == {*gensr.__all__} - {"__version__"}


def test_the_import_costs_nothing():
    probe = "import gensr, sys; dir(gensr), gensr.__version__; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    heavy = {"torch", "numpy", "zarr", "h5py", "transformers", "scipy", "matplotlib"}
    assert not heavy & {*answer.stdout.split()}
    assert answer.stderr == ""


def test_one_place_or_several_of_any_kind():
    there = Path("/some/feats.zarr")
    for kind in KINDS:
        assert located(kind(there)) == (there,)
        assert located([kind(there), kind(there)]) == (there, there)
        assert local(kind(there)) == there
    assert [str(place) for place in located("memory://bucket/a.zarr")] == ["memory://bucket/a.zarr"]
    assert len(each(UPath("memory://bucket/a.zarr"))) == 1
    assert located(place for place in ("a", "b")) == (Path("a"), Path("b"))
    assert located(()) == ()


def test_what_is_no_place_is_one_line():
    for wrong in (3, None, object(), [3], np.zeros((1000, 9))):
        with pytest.raises(ConfigError, match=r"^an? \w+ is no path and no URL$"):
            located(wrong)
    with pytest.raises(ConfigError, match="is a URL, and stores alone are read from there"):
        local("s3://bucket/run")


@pytest.mark.parametrize("kind", KINDS)
def test_every_door_takes_every_kind(kind, corpus, store, finished, deployed, tmp_path):
    report = gensr.extract(
        kind(corpus), kind(tmp_path / "s.zarr"), gensr.ExtractConfig(encoder="fbank")
    )
    assert report.clips == 36
    with gensr.open_store(kind(store)) as opened:
        assert len(opened) == 36
    run = gensr.train(
        kind(store), gensr.TrainConfig(model="linear", steps=1), folder=kind(tmp_path / "run")
    ).run
    assert gensr.evaluate(kind(run.folder), stores=kind(store)).numbers.n == 36
    assert gensr.load_model(kind(finished), "2").fold == "2"
    heard = gensr.predict(kind(corpus / "DC"), kind(deployed), device="cpu")
    assert len(heard.rows) == 9


def test_settings_have_defaults_that_the_evidence_chose(corpus, store, tmp_path):
    report = gensr.train(str(store), folder=tmp_path / "run", config=gensr.TrainConfig(steps=1))
    assert report.run.config.model == "transformer-mse"
    assert gensr.ExtractConfig().encoder == "TencentGameMate/chinese-hubert-large"


def test_a_loaded_model_answers_as_its_run_did(finished, store):
    model = gensr.load_model(finished, "2")
    assert (model.name, len(model.classes)) == ("gen-ser", 3)
    run = gensr.Run.open(finished)
    tested = [row for row in run.predictions() if row.fold == "2"]
    with gensr.open_store(store) as opened:
        paths = opened.table["path"].tolist()
        x = opened.vectors([paths.index(row.path) for row in tested], layers=model.layers)
    p = model.probabilities(x)
    np.testing.assert_allclose(p, [row.probabilities for row in tested], atol=2e-6)
    assert model.predict(x) == [row.predicted for row in tested]
    assert model.probabilities(x, sampler="euler", N=1).shape == p.shape
    with pytest.raises(ConfigError, match=r"x has the shape \(9, \d+\); gen-ser takes \(clips, "):
        model.probabilities(x[:, 0])


def test_which_model_is_meant(finished, deployed, tmp_path):
    with pytest.raises(ConfigError, match="has several models; name one of the folds 1, 2, 3, 4"):
        gensr.load_model(finished)
    with pytest.raises(ConfigError, match="has no fold '9'; name one"):
        gensr.load_model(finished, "9")
    assert gensr.load_model(deployed).fold == "all"
    with pytest.raises(RunError, match="is no run"):
        gensr.load_model(tmp_path)


def test_samples_are_heard_as_their_file_is(corpus, deployed):
    path = corpus / "DC/sad-0.wav"
    file = gensr.predict(path, deployed, device="cpu")
    for dtype in ("int16", "int32", "float32", "float64"):
        samples, rate = soundfile.read(path, dtype=dtype)
        heard = gensr.predict((samples, rate), deployed, device="cpu")
        assert heard["path"] == ["array 0"]
        assert heard.rows[0].probabilities == file.rows[0].probabilities
    stereo = np.stack([samples, samples], 1)
    torch = pytest.importorskip("torch")
    mixed = gensr.predict(
        [path, (stereo, rate), str(path), (torch.from_numpy(samples), rate)], deployed, device="cpu"
    )
    assert mixed["path"] == [str(path), "array 0", "array 1"]  # a path is answered once
    assert {row.predicted for row in mixed.rows} == {file.rows[0].predicted}


def test_samples_that_cannot_be_heard(corpus, deployed):
    cancel = np.stack([np.sin(np.arange(16_000)), -np.sin(np.arange(16_000))], 1)
    heard = gensr.predict((cancel, 16_000), deployed, device="cpu")
    assert heard["path"] == []
    assert heard.failed[0].path == "array 0"
    assert "cancel" in heard.failed[0].reason
    for samples, rate, told in (
        (np.zeros((2, 16_000)), 16_000, "more channels than can be"),
        (np.zeros(0), 16_000, r"samples of shape \(0,\)"),
        (np.zeros(9, complex), 16_000, "samples of type complex128"),
        (np.zeros(9), 16_000.5, "a rate of 16000.5 Hz"),
        (np.zeros(9), "fast", "no samples and rate"),
        (np.zeros((2, 2, 2)), 16_000, "samples of shape"),
    ):
        with pytest.raises(CorpusError, match=f"^array 0: .*{told}"):
            gensr.predict((samples, rate), deployed)


def test_the_answers_are_a_table(corpus, deployed):
    heard = gensr.predict([corpus / "DC"], deployed, device="cpu")
    columns = ["path", "predicted", *(f"p_{name}" for name in gensr.load_model(deployed).classes)]
    frames = pd.DataFrame(heard), pl.DataFrame(heard), pa.table(heard)
    for frame in frames:
        assert [*getattr(frame, "columns" if frame is not frames[2] else "column_names")] == columns
        assert len(frame) == 9
    assert frames[0]["predicted"].tolist() == frames[1]["predicted"].to_list()
    assert repr(heard).startswith("Answers: 9 clips, 0 failed\n")
