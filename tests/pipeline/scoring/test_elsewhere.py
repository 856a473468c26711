"""A run's models on another store: its own clips changed, or other clips altogether."""

import json
import shutil

import numpy as np
import pytest

from gensr.estimator.errors import RunError
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.elsewhere import evaluate_elsewhere, is_own
from gensr.pipeline.scoring.evaluate import evaluate
from support import tones


@pytest.fixture(scope="module")
def louder(made, corpus, fbank):
    """The same clips, twice as loud: another store of the same names."""
    root = made / "louder"
    shutil.copytree(corpus, root)
    import soundfile

    for path in root.rglob("*.wav"):
        samples, rate = soundfile.read(path)
        soundfile.write(path, samples / 2, rate, subtype="PCM_16")
    return fbank(root, made / "louder.zarr")


@pytest.fixture(scope="module")
def strangers(made, fbank):
    """Other people of another corpus, whose `anger` is the run's `angry`, with one word more."""
    root = tones.write_corpus(
        made / "strangers",
        corpus="theirs",
        speakers=("a", "b", "c", "d", "e"),
        emotions=("anger", "happy", "bored"),
        seed=40,
    )
    return fbank(root, made / "strangers.zarr")


def test_a_store_that_was_moved_is_the_runs_own(finished, store, louder, tmp_path):
    moved = shutil.copytree(store, tmp_path / "moved.zarr")
    run = Run.open(finished)
    assert is_own(run, moved)
    assert not is_own(run, louder)


def test_every_fold_answers_its_own_clips_and_the_difference_is_paired(copied, finished, louder):
    run = Run.open(copied(finished))
    found = evaluate_elsewhere(run, louder, device="cpu")
    assert found.protocol.hash == run.protocol.hash
    own = {given.path: given for given in run.predictions()}
    assert {given.path for given in found.predictions} == set(own)
    assert all(own[given.path].fold == given.fold for given in found.predictions)
    assert found.own is not None
    assert found.own.values == evaluate(run, steps=(), device="cpu").numbers.values
    gap = found.numbers.values["accuracy"] - found.own.values["accuracy"]
    assert found.gained["accuracy"].value == pytest.approx(gap)
    assert found.gained["accuracy"].clusters == 4
    assert json.loads((found.folder / "numbers.json").read_text())["store"] == "louder"
    assert (run.folder / "elsewhere/louder/predictions.csv").is_file()


def test_its_own_store_gives_its_own_answers(copied, finished, store):
    run = Run.open(copied(finished))
    found = evaluate_elsewhere(run, store, device="cpu")
    assert found.gained["accuracy"].value == 0
    assert found.gained["accuracy"].p == 1
    assert [g.predicted for g in sorted(found.predictions, key=lambda g: g.path)] == [
        g.predicted for g in sorted(run.predictions(), key=lambda g: g.path)
    ]


def test_clips_that_the_store_lacks_are_said(copied, finished, corpus, fbank, tmp_path):
    some = shutil.copytree(corpus, tmp_path / "some")
    rows = tones.read_manifest(some)
    tones.write_manifest(some, rows[4:])
    for row in rows[:4]:
        (some / row["file"]).unlink()
    run = Run.open(copied(finished))
    found = evaluate_elsewhere(run, fbank(some, tmp_path / "some.zarr"), device="cpu")
    assert found.numbers.n == 32
    assert found.notes[0].startswith("4 of 36 tested clips are not in ")
    assert found.protocol.hash != run.protocol.hash


def test_a_deployed_model_is_tested_on_other_people(copied, deployed, strangers):
    run = Run.open(copied(deployed))
    found = evaluate_elsewhere(run, strangers, device="cpu")
    assert found.numbers.n == 30  # of 45: nobody taught it to be bored
    assert found.protocol.left_out == {"labelled bored, no class of the model": 15}
    assert found.protocol.label_map["anger"] == "angry"
    assert found.own is None
    assert found.gained == {}
    assert found.numbers.clusters == 5
    assert {given.speaker for given in found.predictions} == {f"theirs/{s}" for s in "abcde"}
    assert found.protocol.roles == {"theirs": "tested", run.protocol.corpora[0]: "learnt from"}
    x, table = _rows(strangers)
    model = __import__("gensr").load_model(run.folder)
    p = model.probabilities(x)
    expected = {path: model.classes[int(row.argmax())] for path, row in zip(table, p, strict=True)}
    told = {given.path.removeprefix("elsewhere:"): given.predicted for given in found.predictions}
    assert told.items() <= expected.items()


def _rows(place):
    with open_store(place) as store:
        return store.vectors(), [str(path) for path in np.asarray(store.table["path"])]


def test_clips_that_it_learnt_from_are_a_leak(copied, deployed, store, louder):
    run = Run.open(copied(deployed))
    with pytest.raises(ProtocolError, match=r"leak: 36 of 36 tested clips \(100.0 %\)"):
        evaluate_elsewhere(run, store, device="cpu")
    found = evaluate_elsewhere(run, store, device="cpu", allow_leaks=True)
    assert "leak" in found.notes[0]
    assert "36" in found.notes[0]
    quiet = evaluate_elsewhere(run, louder, device="cpu")  # other samples: said, not refused
    assert any("share their speaker" in note for note in quiet.notes)


def test_what_does_not_fit_is_refused(copied, finished, deployed, strangers, made, fbank):
    run = Run.open(copied(finished))
    with pytest.raises(RunError, match="--fold none"):
        evaluate_elsewhere(run, strangers, device="cpu")
    words = tones.write_corpus(made / "words", corpus="w", emotions=("x", "y", "z"), seed=9)
    with pytest.raises(ProtocolError, match="no clip of the classes that the model tells apart"):
        evaluate_elsewhere(
            Run.open(copied(deployed)), fbank(words, made / "words.zarr"), device="cpu"
        )
    with pytest.raises(StoreError):
        evaluate_elsewhere(run, made / "gone.zarr", device="cpu")
