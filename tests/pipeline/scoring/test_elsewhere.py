"""Runs asked of other stores: the same clips made worse, other corpora, and what is refused."""

import json
import shutil
import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.metrics import accuracy
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.protocols import protocol as protocols
from gensr.pipeline.runs.predictions import from_csv
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.elsewhere import evaluate_elsewhere, other_stores
from gensr.pipeline.scoring.evaluate import score
from support import tones


@dataclass(frozen=True)
class Paired:
    value: float
    low: float
    high: float
    p: float
    clusters: int


@pytest.fixture(autouse=True)
def paired(monkeypatch):
    """What pairs two systems, by its interface: what it is given is kept."""
    given = []

    def difference(metric, a, b, *, by_class=False):
        given.append((metric, a, b, by_class))
        value = float(metric(a.sum(1)).mean() - metric(b.sum(1)).mean())
        return Paired(value, value - 0.1, value + 0.1, 0.5, a.shape[1])

    module = ModuleType("gensr.estimator.paired")
    module.difference = difference
    monkeypatch.setitem(sys.modules, "gensr.estimator.paired", module)
    return given


def worse(corpus, out, perturb="noise:0dB,phone"):
    extract(corpus, out, ExtractConfig(encoder="fbank", shard_clips=16, perturb=perturb))
    return out


@pytest.fixture(scope="module")
def noisy(corpus, tmp_path_factory):
    return worse(corpus, tmp_path_factory.mktemp("noisy") / "noisy.zarr")


@pytest.fixture(scope="module")
def foreign(fbank, tmp_path_factory):
    """Other speakers of another corpus; one emotion that the runs do not know, one clip without."""
    root = tones.write_corpus(
        tmp_path_factory.mktemp("foreign") / "corpus",
        corpus="savee",
        speakers=("P1", "P2", "P3", "P4", "P5"),
        emotions=("angry", "happy", "sad", "bored"),
        sentences=2,
        seed=20,
    )
    table = tones.read_manifest(root)
    table[0]["emotion"] = ""
    tones.write_manifest(root, table)
    return fbank(root, root.parent / "foreign.zarr")


def ask(run, *stores, **options):
    return evaluate_elsewhere(run, stores, device="cpu", **options)


class TestTheSameClips:
    def test_each_model_answers_its_own_tests(self, finished, noisy, paired):
        run = Run.open(finished)
        (found,) = ask(run, noisy)
        own = run.predictions()
        assert {(p.path, p.fold, p.label) for p in found.predictions} == {
            (p.path, p.fold, p.label) for p in own
        }
        assert {p.path: p.speaker for p in found.predictions} == {p.path: p.speaker for p in own}
        assert found.own == score(own, run.protocol)
        assert found.numbers == score(found.predictions, found.protocol)
        assert found.numbers.n == 36
        assert found.perturb == "noise:0dB,phone"
        assert found.protocol.said == (f"asked of {noisy}, perturbed by noise:0dB,phone",)

    def test_on_its_own_vectors_nothing_changes(self, finished, corpus, tmp_path):
        """A store of the same clips and settings, of other rows, is another one: no drop."""
        same = worse(corpus, tmp_path / "quiet.zarr", "noise:100dB")
        (found,) = ask(finished, same)
        assert found.numbers.values == found.own.values
        assert all(one.value == 0 for one in found.drop.values())

    def test_the_drop_is_paired_over_speakers(self, finished, noisy, paired):
        (found,) = ask(finished, noisy)
        assert set(found.drop) == {"accuracy", "uar", "macro_f1", "weighted_f1"}
        metric, there, own, by_class = paired[0]
        assert metric is accuracy
        assert not by_class
        assert [by_class for *_, by_class in paired] == [False, True, True, False]
        assert there.shape == own.shape == (1, 4, 3, 3)
        np.testing.assert_array_equal(there.sum(-1), own.sum(-1))
        np.testing.assert_array_equal(there[0].sum(0), found.numbers.confusion)
        np.testing.assert_array_equal(own[0].sum(0), found.own.confusion)
        change = found.numbers.values["accuracy"] - found.own.values["accuracy"]
        assert found.drop["accuracy"].value == pytest.approx(change)

    def test_what_is_missing_is_counted_and_said(self, finished, corpus, tmp_path, paired):
        root = tmp_path / "c"
        shutil.copytree(corpus, root)
        table = tones.read_manifest(root)
        tones.write_manifest(root, table[5:])
        (found,) = ask(finished, worse(root, tmp_path / "few.zarr"))
        assert found.numbers.n == found.own.n == 31
        note = "5 clips of the run's tests: not there, and not counted"
        assert note in found.protocol.notes()
        (whole,) = ask(finished, worse(corpus, tmp_path / "all.zarr"))
        assert whole.protocol.hash != found.protocol.hash
        np.testing.assert_array_equal(paired[0][1].sum(-1), paired[0][2].sum(-1))

    def test_clips_that_the_run_never_tests_are_said(self, finished, fbank, tmp_path):
        root = tones.write_corpus(tmp_path / "c", sentences=4)
        (found,) = ask(finished, fbank(root, tmp_path / "more.zarr"))
        assert found.numbers.n == 36
        assert "12 clips there: no tests of the run, and not asked" in found.protocol.notes()

    def test_recordings_and_labels_that_differ_are_said(self, finished, corpus, fbank, tmp_path):
        root = tmp_path / "c"
        shutil.copytree(corpus, root)
        table = tones.read_manifest(root)
        tones.write_clip(root / table[0]["file"], tones.chord(9, 9, 9))
        table[1]["emotion"] = "sad"
        tones.write_manifest(root, table)
        (found,) = ask(finished, fbank(root, tmp_path / "s.zarr"))
        said = found.protocol.said
        assert "1 clip there: another recording under the same name" in said
        assert "1 clip there: another emotion, the run's is kept" in said
        labels = {p.path: p.label for p in found.predictions}
        assert labels[table[1]["file"]] == "angry"

    def test_one_question_of_two_models_has_one_hash(
        self, finished, linear, noisy, corpus, tmp_path
    ):
        (a,), (b,) = ask(finished, noisy), ask(linear, noisy)
        assert a.protocol.name == b.protocol.name == "elsewhere"
        assert a.protocol.hash == b.protocol.hash != Run.open(finished).protocol.hash
        (c,) = ask(finished, worse(corpus, tmp_path / "s.zarr", "noise:10dB"))
        assert c.protocol.hash != a.protocol.hash

    def test_models_of_folds_are_not_asked_of_another_corpus(self, finished, foreign):
        with pytest.raises(RunError, match=r"has 4 models .* holds none of them; train with "):
            ask(finished, foreign)


class TestOtherClips:
    def test_every_clip_that_it_knows_the_label_of(self, deployed, foreign):
        (found,) = ask(deployed, foreign)
        with open_store(foreign) as store:
            emotions = store.table["emotion"].tolist()
        known = [name for name in emotions if name in ("angry", "happy", "sad")]
        assert found.numbers.n == len(known) == 29
        assert [p.label for p in found.predictions] == known
        assert found.numbers.clusters == 5
        assert found.own is None
        assert found.drop == {}
        assert found.protocol.left_out == {"no label": 1, "labelled bored, no class of the run": 10}
        assert found.protocol.roles == {"emodb": "learnt from", "savee": "tested"}
        assert not found.protocol.leaks

    def test_what_it_learnt_from_is_a_leak(self, deployed, noisy):
        with pytest.raises(
            RunError, match=r"^leak: .* learnt from 36 of the 36 clips of .*100.0 %"
        ):
            ask(deployed, noisy)
        (found,) = ask(deployed, noisy, allow_leaks=True)
        assert found.numbers.n == 36
        assert found.protocol.leaks == {"audio_sha256": 36}
        assert found.protocol.notes()[0].startswith("leak: 36 of 36 tested clips (100.0 %)")

    def test_a_copy_under_another_name_is_a_leak(self, deployed, corpus, foreign, fbank, tmp_path):
        root = tmp_path / "c"
        shutil.copytree(foreign.parent / "corpus", root)
        table = tones.read_manifest(root)
        theirs = tones.read_manifest(corpus)[0]["file"]
        shutil.copy(corpus / theirs, root / table[1]["file"])
        store = fbank(root, tmp_path / "s.zarr")
        with pytest.raises(RunError, match=r"learnt from 1 of the 29 clips"):
            ask(deployed, store)

    def test_a_run_that_kept_no_facts_knows_its_clips_by_name(self, deployed, copied, noisy):
        from support.rebind import rebind

        run = copied(deployed)
        kept = json.loads((run / "protocol.json").read_text())
        del kept["columns"]
        (run / "protocol.json").write_text(json.dumps(kept))
        rebind(run)
        with pytest.raises(RunError, match=r"learnt from 36 of the 36"):
            ask(run, noisy)
        (found,) = ask(run, noisy, allow_leaks=True)
        assert found.protocol.leaks == {"path": 36}
        assert any("is not known" in note for note in found.protocol.notes())

    def test_speakers_on_both_sides_are_said(self, deployed, fbank, tmp_path):
        root = tones.write_corpus(tmp_path / "c", sentences=5)
        table = tones.read_manifest(root)
        tones.write_manifest(root, [row for row in table if row["sentence"] in ("w3", "w4")])
        (found,) = ask(deployed, fbank(root, tmp_path / "s.zarr"))
        assert found.protocol.overlaps == {"speaker": 24}
        assert "24 of 24 tested clips share their speaker" in " ".join(found.protocol.notes())

    def test_several_corpora_have_numbers_each(self, deployed, fbank, tmp_path):
        root = tones.write_corpus(
            tmp_path / "c", corpus="savee", speakers=("A", "B", "C", "D"), seed=20
        )
        table = tones.read_manifest(root)
        for row in table:
            if row["speaker"] in "CD":
                row["corpus"] = "ravdess"
        tones.write_manifest(root, table)
        (found,) = ask(deployed, fbank(root, tmp_path / "s.zarr"))
        assert {name: each.n for name, each in found.by_corpus.items()} == {
            "savee": 18,
            "ravdess": 18,
        }
        whole = sum(np.array(each.confusion) for each in found.by_corpus.values())
        np.testing.assert_array_equal(whole, found.numbers.confusion)
        assert {p.speaker for p in found.predictions} == set("ABCD")

    def test_words_that_it_does_not_know(self, deployed, fbank, tmp_path):
        root = tones.write_corpus(tmp_path / "c", corpus="savee", emotions=("calm", "bored"))
        with pytest.raises(RunError, match=r"knows emotion as angry, happy, sad, and no clip of "):
            ask(deployed, fbank(root, tmp_path / "s.zarr"))


class TestStores:
    def test_which_are_others(self, finished, store, noisy, foreign, tmp_path):
        moved = shutil.copytree(store, tmp_path / "moved.zarr")
        run = Run.open(finished)
        assert other_stores(run, [store, moved]) == ()
        assert other_stores(run, [moved, noisy, foreign]) == (noisy, foreign)

    def test_another_encoder_is_refused(self, finished, corpus, tmp_path):
        from support.stub import StubEncoder

        other = tmp_path / "stub.zarr"
        extract(corpus, other, ExtractConfig(encoder="stub"), encoder=StubEncoder())
        with pytest.raises(StoreError, match="holds vectors of another encoder than the run"):
            ask(finished, other)

    def test_two_of_one_name_are_refused(self, finished, noisy, tmp_path):
        (tmp_path / "x").mkdir()
        twin = shutil.copytree(noisy, tmp_path / "x/noisy.zarr")
        with pytest.raises(ConfigError, match=r"two stores are called noisy\.zarr"):
            ask(finished, noisy, twin)

    def test_nothing_is_encoded(self, finished, noisy, monkeypatch):
        from gensr.features import encoders

        monkeypatch.setattr(encoders, "load_encoder", None)
        assert ask(finished, noisy)


class TestKept:
    def test_numbers_follow_from_what_is_kept(self, finished, copied, noisy):
        run = copied(finished)
        (found,) = ask(run, noisy)
        found.keep()
        kept = json.loads((run / "protocol-noisy.zarr.json").read_text())
        again = protocols.from_plain(kept["protocol"], kept["clips"], kept["columns"])
        answers = from_csv((run / "predictions-noisy.zarr.csv").read_bytes())
        assert again.hash == found.protocol.hash == kept["hash"]
        assert score(answers, again) == found.numbers
        told = json.loads((run / "numbers-noisy.zarr.json").read_text())
        assert told["accuracy"] == found.numbers.values["accuracy"]
        assert told["drop"]["accuracy"]["p"] == 0.5
        assert Run.open(run).predictions()  # the run's own are as they were

    def test_what_a_deployed_model_was_asked_is_kept_too(self, deployed, copied, foreign):
        run = copied(deployed)
        (found,) = ask(run, foreign)
        found.keep()
        kept = json.loads((run / "protocol-foreign.zarr.json").read_text())
        again = protocols.from_plain(kept["protocol"], kept["clips"], kept["columns"])
        answers = from_csv((run / "predictions-foreign.zarr.csv").read_bytes())
        assert again.hash == found.protocol.hash
        assert score(answers, again) == found.numbers

    def test_a_run_that_is_replaced_leaves_none_of_it(self, fit, noisy, tmp_path):
        run = fit(tmp_path / "run").run.folder
        (found,) = ask(run, noisy)
        found.keep()
        (run / "predictions-mine.csv").write_text("mine")
        fit(run, overwrite=True)
        assert sorted(path.name for path in run.glob("*-*")) == ["predictions-mine.csv"]
