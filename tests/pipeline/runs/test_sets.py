import shutil

import pytest

from gensr.estimator.errors import ConfigError, RunError
from gensr.pipeline.runs.run import Run, newest
from gensr.pipeline.runs.sets import begin_set, parse_seeds, runs_of, seeds_of
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.seeds import train_seeds
from support.results import same_result


@pytest.fixture(scope="module")
def several(made, store, tiny):
    """train_seeds of a few steps: several(folder, seeds, **its own) -> folder."""

    def run(folder, seeds, steps=12, **how):
        config = TrainConfig(model="gen-ser", steps=steps, settings=tiny, device="cpu", seed=99)
        return train_seeds(store, config, seeds, folder=folder, **how)[0]

    return run


@pytest.fixture(scope="module")
def both(made, several):
    return several(made / "runs/set", (1, 0))


def test_a_set_holds_the_run_of_each_seed(both, finished, fit, tmp_path):
    zero, one = runs_of(both)
    assert (zero.config.seed, one.config.seed) == (0, 1)
    same_result(zero.folder, finished)
    same_result(one.folder, fit(tmp_path / "alone", seed=1).run.folder)
    assert zero.protocol.hash == one.protocol.hash
    assert zero.predictions() != one.predictions()


def test_one_run_is_what_stands_for_itself(finished):
    (run,) = runs_of(finished)
    assert run.folder == finished
    assert runs_of(run) == (run,)


def test_a_set_is_the_newest_run_and_is_no_run(both, finished):
    assert newest(both.parent) in (both, finished)
    with pytest.raises(RunError, match=r"several seeds; name one of them, as .*seed-0"):
        Run.open(both)


def test_a_seed_that_is_missing_is_no_smaller_mean(copied, both, several):
    there = copied(both)
    shutil.rmtree(there / "seed-1")
    with pytest.raises(RunError, match=r"lacks seed 1: .*--seeds 0,1 .*--resume"):
        runs_of(there)
    several(there, (0, 1), resume=True)
    for run, other in zip(runs_of(there), runs_of(both), strict=True):
        same_result(run.folder, other.folder)


def test_seeds_are_added_and_never_left_behind(copied, both, several):
    there = copied(both)
    with pytest.raises(RunError, match="several seeds already; pass --resume"):
        several(there, (0, 1))
    with pytest.raises(RunError, match="holds seed 1 too: pass 0,1 among --seeds"):
        several(there, (0, 2), resume=True)
    several(there, (0, 1, 2), resume=True)
    assert seeds_of(there) == (0, 1, 2)
    assert len(runs_of(there)) == 3


def test_runs_of_unlike_trainings_are_no_set(copied, both, fit):
    there = copied(both)
    fit(there / "seed-1", seed=1, steps=10, overwrite=True)
    with pytest.raises(RunError, match="differ in training, not in the seed alone"):
        runs_of(there)


def test_what_was_refused_leaves_a_folder_that_can_be_taken(tmp_path, several):
    with pytest.raises(ConfigError):
        several(tmp_path / "set", (0, 1), steps=0)
    with pytest.raises(RunError, match="no runs of several seeds to resume"):
        begin_set(tmp_path / "other", (0, 1), resume=True, overwrite=False)
    begin_set(tmp_path / "set", (0, 1), resume=False, overwrite=False)
    begin_set(tmp_path / "set", (0, 7), resume=False, overwrite=False)
    assert seeds_of(tmp_path / "set") == (0, 7)


def test_a_folder_of_something_else_is_left(tmp_path, finished, copied):
    with pytest.raises(RunError, match="holds a run of one seed"):
        begin_set(copied(finished), (0, 1), resume=False, overwrite=False)
    (tmp_path / "note").write_text("mine")
    with pytest.raises(RunError, match="holds something else"):
        begin_set(tmp_path, (0, 1), resume=False, overwrite=False)
    with pytest.raises(RunError, match="is a file"):
        begin_set(tmp_path / "note", (0, 1), resume=False, overwrite=False)


@pytest.mark.parametrize("text", ["", "3", "a", "1-", "0,0", "4-2", "0-5000"])
def test_what_is_not_several_seeds_is_refused(text):
    with pytest.raises(ConfigError, match="--seeds takes several whole numbers"):
        parse_seeds(text)
