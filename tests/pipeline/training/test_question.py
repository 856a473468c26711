"""The question of a run on its stores, once more: whatever became of a file, or of a default."""

import pytest

from gensr.estimator.errors import RunError
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.scoring.replay import Replay
from gensr.pipeline.training import train as training
from gensr.pipeline.training.question import as_before, question_of
from support import tones
from support.loaded import load_vectors


@pytest.fixture
def by_column(fit, tmp_path):
    return fit(tmp_path / "run", protocol="column:sentence", steps=4).run


def test_a_run_by_a_column_keeps_its_folds(by_column):
    assert by_column.protocol.name == "column:sentence"
    with Replay(by_column, None, "cpu") as replay:
        again = {one.path: one for one in replay.predictions()}
    for one in by_column.predictions():
        other = again.pop(one.path)
        assert (other.fold, other.label) == (one.fold, one.label)
        assert other.probabilities == pytest.approx(one.probabilities, abs=1e-5)
    assert not again


def test_a_run_by_a_file_needs_it_no_more(fit, store, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\napart = ["speaker"]\n[folds.speakers]\n1 = ["DC"]\n2 = ["JE"]\n'
    )
    run = fit(tmp_path / "run", protocol=str(path), steps=4).run
    path.unlink()
    assert run.protocol.name == "mine"
    found = evaluate(run, steps=(2,), device="cpu")
    assert found.by_steps[2].n == found.numbers.n == 18
    assert question_of(run, load_vectors([store]).table).hash == run.protocol.hash


def test_other_labels_are_noticed_without_the_file(by_column, fbank, tmp_path):
    root = tones.write_corpus(tmp_path / "c")
    rows = tones.read_manifest(root)
    rows[0]["emotion"] = "sad"
    tones.write_manifest(root, rows)
    other = fbank(root, tmp_path / "s.zarr")
    with pytest.raises(RunError, match="labels or splits of its store were changed"):
        evaluate(by_column, steps=(1,), stores=[other], device="cpu")


def test_resuming_asks_for_the_same_again(by_column, fit):
    with pytest.raises(RunError, match="protocol = column:sentence, now it is None; resume with"):
        fit(by_column.folder, resume=True, steps=4)
    fit(by_column.folder, resume=True, steps=4, protocol="column:sentence")


def test_several_corpora_as_before_go_on_as_they_began(fit, fbank, store, tmp_path, monkeypatch):
    """A run that 0.2 made over two corpora: it is evaluated, and resumed."""
    other = fbank(tones.write_corpus(tmp_path / "c", corpus="mine", seed=9), tmp_path / "s.zarr")
    stores = (store, other)
    with monkeypatch.context() as patch:
        patch.setattr(training, "make_protocol", lambda table, **k: make_protocol(table, **k | OLD))
        run = fit(tmp_path / "run", *stores, steps=4, labels="native").run
    assert run.protocol.roles == {}
    assert as_before(run.protocol)
    assert evaluate(run, steps=(2,), device="cpu").by_steps[2].n == run.protocol.folds[0].test.size
    fit(tmp_path / "run", *stores, steps=4, labels="native", resume=True)
    now = fit(tmp_path / "now", *stores, steps=4, labels="native").run
    assert not as_before(Run.open(now.folder).protocol)
    assert now.protocol.hash != run.protocol.hash


OLD = {"as_before": True}
