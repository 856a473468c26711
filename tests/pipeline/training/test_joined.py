"""Spellings of one label that several stores have are joined, and the run says so ever after."""

import json

import pytest

from gensr.cli.main import app
from gensr.estimator.errors import RunError
from gensr.pipeline.runs.provenance import Manifest
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.use.describe import describe
from support import tones

SAID = "spellings of one emotion joined as 'Angry': 'Angry' (6), 'angry' (6); "


@pytest.fixture
def run(fbank, fit, tmp_path):
    stores = []
    for name, speakers, spelt in (("l", ("DC", "JE"), str.lower), ("r", ("JK", "KL"), str.title)):
        emotions = [spelt(emotion) for emotion in tones.EMOTIONS]
        root = tones.write_corpus(
            tmp_path / name, speakers=speakers, emotions=emotions, seed=2 * len(stores)
        )
        stores.append(fbank(root, tmp_path / f"{name}.zarr"))
    return fit(tmp_path / "run", *stores, steps=2, labels="native").run


def test_eval_and_info_say_it_once(run, capsys):
    assert run.joined.startswith(SAID)
    assert [note for note in describe(run.folder).notes if "spellings" in note] == [run.joined]
    found = evaluate(run, steps=(), device="cpu")
    assert found.joined == found.as_json()["spellings_joined"] == run.joined
    ask = ["eval", "--sampler-steps", "2", "--device", "cpu", str(run.folder)]
    app([*ask, str(run.folder)], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "spellings" in line] == [f"note: {run.joined}"]


def test_a_run_without_says_nothing(finished):
    assert Run.open(finished).joined == ""
    assert not [note for note in describe(finished).notes if "spellings" in note]


@pytest.mark.parametrize("damaged", [5, None, "ab", [1], {"a": "b"}])
def test_anything_else_in_its_place_is_one_line(damaged, finished):
    manifest = json.loads((finished / "manifest.json").read_text())
    Manifest.from_plain(manifest, finished)
    with pytest.raises(RunError, match="spellings_joined = "):
        Manifest.from_plain(manifest | {"spellings_joined": damaged}, finished)
