"""Every system of the method trains, is killed, goes on, is evaluated and stands in one table."""

import shutil

import numpy as np
import pytest

from gensr.estimator.checkpoint import Checkpoint
from gensr.estimator.models.registry import MODELS
from gensr.features.store import open_store
from gensr.pipeline.importing.importing import ImportConfig, import_features
from gensr.pipeline.runs.dev import dev_predictions
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.scoring.table import compare
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.fold import FoldTraining
from gensr.pipeline.training.train import train
from support.forking import forking
from support.results import same_result
from support.steps import DIED, NEVER, spread
from support.systems import ONE_GO, SYSTEMS, settings

PARTS = {"target": "x0", "mean": "logistic", "variance": "bridge", "codes": "sinusoidal"}
"""What `eval --json` names, and what it is where nothing was asked for."""


@pytest.fixture(scope="module")
def learn(tmp_path_factory):
    """learn(name, folder, store, **TrainConfig) -> the run of a system."""
    folder = tmp_path_factory.mktemp("settings")

    def run(name, place, store, *, steps=8, every=4, hidden=16, batch=8, resume=False, **config):
        asked = SYSTEMS[name]
        model = asked.get("model", "gen-ser")
        file = folder / f"{name}-{steps}.toml"
        file.write_text(settings(model, hidden=hidden, steps=steps, every=every, batch=batch))
        wanted = TrainConfig(
            **{"model": model, "settings": file, "device": "cpu", **asked, **config}
        )
        return train([store], wanted, folder=place, resume=resume).run.folder

    return run


@pytest.fixture(scope="module")
def whole(learn, store, tmp_path_factory):
    """whole(name) -> its run over all folds, made once."""
    folder, made = tmp_path_factory.mktemp("whole"), {}

    def run(name):
        if name not in made:
            made[name] = learn(name, folder / name, store)
        return made[name]

    return run


def dies(after, real):
    left = after

    def call(*given, **named):
        nonlocal left
        left -= 1
        if left < 0:
            raise MemoryError
        return real(*given, **named)

    return call


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_killed_training_ends_in_the_same_bits(name, whole, learn, store, tmp_path, monkeypatch):
    """Behind its first checkpoint, or, of what is fitted in one go, behind its first fold."""
    by_steps = SYSTEMS[name].get("model") not in ONE_GO
    of, what = (Checkpoint, "save") if by_steps else (FoldTraining, "keep")
    with monkeypatch.context() as patch:
        patch.setattr(of, what, dies(1, getattr(of, what)))
        with pytest.raises(MemoryError):
            learn(name, tmp_path / "run", store)
    learn(name, tmp_path / "run", store, resume=True)
    same_result(whole(name), tmp_path / "run")


@pytest.fixture(scope="module")
def call():
    """call(step, store, folder, config, **options) -> how a training ended, that dies at a step."""
    with forking("training_works") as calls:

        def call(step, store, folder, config, **options):
            return calls.call("train", store, folder, config, options, how={"kill": step})

        yield call


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [*MODELS, "members", "codes-autoencoder"])
def test_a_training_whose_process_dies_anywhere_ends_in_the_same_bits(name, call, store, tmp_path):
    """By SIGKILL, at steps of what it does to the disk from its first to its last."""
    asked = {"model": "gen-ser"} | SYSTEMS[name]
    (tmp_path / "small.toml").write_text(settings(asked["model"], hidden=16, steps=8, every=4))
    config = asked | {"settings": str(tmp_path / "small.toml"), "fold": "2", "calibrate": True}
    if asked["model"] in ONE_GO:
        del config["calibrate"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    count = call(NEVER, store, whole, config).taken
    assert count > 20
    for step in spread(count, ends=1, stride=max(1, count // 4), offset=len(name) % 5):
        shutil.rmtree(run, ignore_errors=True)
        assert call(step, store, run, config).status == DIED
        begun = (run / "config.json").exists()
        ended = call(None, store, run, config, resume=begun)
        assert ended.status == 0, step
        same_result(whole, run)


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_says_what_it_is(name, whole):
    """`eval --json` echoes the model and each of its parts, asked for or not."""
    told, asked = evaluate(whole(name)).as_json(), SYSTEMS[name]
    assert told["model"] == asked.get("model", "gen-ser")
    own = MODELS[told["model"]].Config()
    for part, usual in PARTS.items():
        wanted = asked.get("options", {}).get(part, usual) if hasattr(own, part) else None
        assert told[part] == wanted, part


def test_all_stand_in_one_table(whole):
    """One question, paired with one of them; each name once."""
    found = compare([whole(name) for name in SYSTEMS], against="closed-form").as_json()
    assert [one["name"] for one in found["systems"]] == list(SYSTEMS)
    assert {one["n"] for one in found["systems"]} == {36}
    for one in found["systems"]:
        assert ("accuracy" in one["differences"]["speaker"]) == (one["name"] != "closed-form")


@pytest.mark.parametrize("name", ["gen-ser", "members", "inputs-concat"])
def test_budgets_are_chosen_among_after_a_kill_as_before(name, learn, store, tmp_path, monkeypatch):
    """Killed in each of the trainings that it takes: of a budget, of the other, of the choice."""
    choose = "budgets:4,8"
    learn(name, tmp_path / "whole", store, fold="2", choose=choose)
    taken = 0
    for at in (0, 1, 2, 3, 4):
        run, real = tmp_path / f"run-{at}", Checkpoint.save
        with monkeypatch.context() as patch:
            patch.setattr(Checkpoint, "save", dies(at, real))
            try:
                learn(name, run, store, fold="2", choose=choose)
            except MemoryError:
                taken += 1
        if taken == at + 1:
            learn(name, run, store, fold="2", choose=choose, resume=True)
        same_result(tmp_path / "whole", run)
    assert taken >= 3
    logged = (tmp_path / "whole/metrics.jsonl").read_text()
    assert "choose-4" in logged
    assert "choose-8" in logged


@pytest.mark.parametrize("name", ["members", "members-mlp"])
@pytest.mark.parametrize("choose", ["looks", "beforehand"])
@pytest.mark.parametrize("together", [True, False])
def test_members_that_were_killed_answer_their_dev_part_whole(
    name, choose, together, learn, store, tmp_path, monkeypatch
):
    """However they are trained, and whichever of them it was that was killed."""
    from gensr.estimator.models.ensemble import Ensemble

    if not together:
        monkeypatch.setattr(Ensemble, "_stacks", lambda *asked: False)
    asked = {"fold": "2", "choose": choose, "calibrate": True, "steps": 12}
    whole = Run.open(learn(name, tmp_path / "whole", store, **asked))
    assert len(dev_predictions(whole)) == 9
    for at in (1, 2, 4):
        run, real = tmp_path / f"run-{at}", Checkpoint.save
        with monkeypatch.context() as patch:
            patch.setattr(Checkpoint, "save", dies(at, real))
            with pytest.raises(MemoryError):
                learn(name, run, store, **asked)
        learn(name, run, store, **asked, resume=True)
        same_result(whole.folder, run)
        assert (run / "dev_predictions.csv").read_bytes() == (
            whole.folder / "dev_predictions.csv"
        ).read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_learn_from_ravdess(learn, fbank, corpora, tmp_path):
    """Every one of them, on vectors of real speech, is far above the majority class (13 %).

    So are a layer and two on vectors of others, to the digit as on the same that were extracted.
    """
    store = fbank(corpora / "ravdess", tmp_path / "ravdess.zarr")
    others = as_if_of_others(store, corpora / "ravdess", tmp_path)

    def accuracy(name, place, store):
        run = learn(name, place, store, fold="1", steps=150, every=150, hidden=64, batch=64)
        return evaluate(run, steps=()).numbers.values["accuracy"]

    said = {name: accuracy(name, tmp_path / name, store) for name in SYSTEMS}
    assert min(said.values()) > 0.2, said
    for name in ("linear", "mlp"):
        assert accuracy(name, tmp_path / f"{name}-of-others", others) == said[name]


def as_if_of_others(store, corpus, folder):
    """The vectors of a store as `.npy` files, and a store of those."""
    with open_store(store) as opened:
        for path, vectors in zip(opened.table["path"], opened.vectors(), strict=True):
            (folder / "npy" / path).parent.mkdir(parents=True, exist_ok=True)
            np.save(folder / "npy" / f"{path}.npy", vectors)
    out = folder / "others.zarr"
    assert import_features(folder / "npy", out, ImportConfig(corpus=corpus)).failed == ()
    return out
