"""`gensr import-features`, and what comes of it: runs, numbers, a comparison, as of any store."""

import json

import numpy as np
import pytest

from gensr.features.store import open_store

RIVALS = ("svm", "logreg", "closed-form")


@pytest.fixture(scope="module")
def arrays(home, tmp_path_factory):
    """The vectors of the store in the working folder, a file each, as others would bring them."""
    folder = tmp_path_factory.mktemp("others") / "vectors"
    with open_store(home / "tones.zarr") as store:
        for path, vectors in zip(store.table["path"], store.vectors(), strict=True):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{path}.npy", vectors)
    return folder


@pytest.mark.parametrize("model", [*RIVALS, "linear", "mlp"])
def test_a_store_of_imported_vectors_trains_and_evaluates_as_the_extracted_one(
    gensr, home, arrays, here, model
):
    said = gensr("import-features", arrays, "--corpus", home / "corpus", "--out", "o.zarr").ok()
    assert "0 left out" in said.out
    answers = []
    for store, run in (("o.zarr", "imported"), (home / "tones.zarr", "extracted")):
        gensr("train", store, "--model", model, "--run", run).ok()
        answers.append((here / run / "predictions.csv").read_text())
        found = json.loads(gensr("eval", run, "--json").ok().out)
        assert found["model"] == model
    assert answers[0] == answers[1]


def test_rivals_are_compared_and_imported_stores_are_checked(gensr, home, arrays, here):
    gensr("import-features", arrays, "--corpus", home / "corpus", "--out", "o.h5").ok()
    gensr("lint", "o.h5").ok()
    assert "imported" in gensr("info", "o.h5").ok().out
    for model in RIVALS:
        gensr("train", "o.h5", "--model", model, "--run", f"runs/{model}").ok()
    said = gensr("compare", *(f"runs/{model}" for model in RIVALS)).ok()
    for model in RIVALS:
        assert model in said.out


def test_audio_cannot_be_answered_by_vectors_of_others(gensr, home, arrays, here):
    gensr("import-features", arrays, "--corpus", home / "corpus", "--out", "o.zarr").ok()
    gensr("train", "o.zarr", "--model", "logreg", "--fold", "none", "--run", "deployed").ok()
    wav = next((home / "corpus").rglob("*.wav"))
    said = gensr("predict", wav, "--run", "deployed")
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert "imported" in said.err


def test_what_is_left_out_is_said_and_counted(gensr, home, arrays, here):
    with open_store(home / "tones.zarr") as store:
        paths = store.table["path"].tolist()
    (here / "labels.csv").write_text(
        "\n".join(["file,emotion,speaker", *(f"{path},x,{path[:3]}" for path in paths[1:])])
    )
    asked = ("import-features", arrays, "--corpus", "labels.csv", "--out", "o.zarr")
    said = gensr(*asked)
    assert said.status == 1
    assert paths[0] in said.err
    assert "--allow-errors 1" in said.err
    gensr(*asked, "--overwrite", "--allow-errors", 1).ok()


@pytest.mark.parametrize(
    ("option", "model"), [("--steps", "svm"), ("--choose", "logreg"), ("--codes", "svm")]
)
def test_what_makes_no_sense_for_a_model_fitted_at_once_is_one_line(
    gensr, home, here, option, model
):
    value = {"--steps": 5, "--choose": "dev", "--codes": "sinusoidal"}[option]
    said = gensr("train", home / "tones.zarr", "--model", model, option, value)
    assert said.status == 2
    assert said.err.count("\n") == 1


def test_a_killed_training_goes_on_to_the_same_answers(gensr, home, here):
    """A fold that is not kept is fitted again, by the same seed."""
    asked = ("train", home / "tones.zarr", "--model", "closed-form", "--run", "r")
    gensr(*asked).ok()
    whole = (here / "r/predictions.csv").read_bytes()
    kept = sorted((here / "r").rglob("model.safetensors"))
    weights = kept[0].read_bytes()
    kept[0].unlink()
    (here / "r/predictions.csv").unlink()
    gensr(*asked, "--resume").ok()
    assert kept[0].read_bytes() == weights
    assert (here / "r/predictions.csv").read_bytes() == whole
