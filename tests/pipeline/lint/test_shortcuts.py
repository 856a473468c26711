"""What one column alone tells, on whole corpora by their names, and on made tables."""

import numpy as np
import pytest

from gensr.pipeline.lint.shortcuts import MARGIN, flags, shortcuts
from gensr.pipeline.protocols.splitters import make_protocol
from support import corpus_names
from support.clip_tables import grid


def _tried(table, **asked):
    protocol = make_protocol(table, **asked)
    found = {one.column: one for one in shortcuts(protocol)}
    return found, [one.line for one in flags(protocol, list(found.values()))]


def _named(corpus: str):
    return corpus_names.table(corpus_names.read(corpus, getattr(corpus_names, f"{corpus}_names")()))


class TestSentences:
    def test_savees_give_the_label_away(self):
        table = _named("savee")
        assert len(table["path"]) == 480
        found, lines = _tried(table, name="savee-loso")
        one = found["sentence"]
        # 12 of each emotion's own and all 30 of neutral, and of the 3 common ones a sixth: 420/480.
        assert one.accuracy == pytest.approx((6 * 12 + 30 + 3) / 120)
        assert one.majority == 0.25
        assert one.interval[0] > 0.7
        assert one.flagged
        assert len(lines) == 1
        assert "sentence alone" in lines[0]
        assert "--protocol savee-strict" in lines[0]

    def test_savees_do_not_once_they_are_apart(self):
        found, lines = _tried(_named("savee"), name="savee-strict")
        assert found["sentence"].accuracy == 0.25
        assert lines == []

    @pytest.mark.parametrize("corpus", ["emodb", "ravdess", "tess"])
    @pytest.mark.parametrize("name", [None, "speaker-holdout"])
    def test_crossed_ones_are_silent(self, corpus, name):
        found, lines = _tried(_named(corpus), name=name)
        assert found["sentence"].accuracy <= found["sentence"].majority + MARGIN
        assert lines == []

    def test_another_corpus_is_sent_to_another_protocol(self):
        table = grid("acme", [f"s{k}" for k in range(6)])
        table = {**table, "sentence": np.char.add(table["emotion"], table["sentence"])}
        _, lines = _tried(table, name="loso")
        assert "--protocol sentence-holdout" in lines[0]


class TestNumbers:
    def _table(self, seconds):
        table = grid("acme", [f"s{k}" for k in range(8)], sentences=6)
        return {**table, "seconds": np.array([str(one) for one in seconds(table)], object)}

    def test_length_that_tells_the_label(self):
        length = {"angry": 1.0, "happy": 2.0, "sad": 3.0}
        rng = np.random.default_rng(0)

        def seconds(table):
            return [length[e] + rng.uniform(-0.3, 0.3) for e in table["emotion"]]

        found, lines = _tried(self._table(seconds), name="loso")
        assert found["seconds"].accuracy > 0.9
        assert "no split removes that" in lines[0]

    def test_length_that_does_not(self):
        rng = np.random.default_rng(0)
        found, lines = _tried(
            self._table(lambda table: rng.uniform(1, 3, len(table["path"]))), name="loso"
        )
        assert abs(found["seconds"].accuracy - 1 / 3) < 0.12
        assert lines == []

    def test_bins_are_chosen_without_the_test_part(self):
        """Of one speaker the length tells the label, of the others nothing: nothing is learnt."""
        rng = np.random.default_rng(1)
        length = {"angry": 1.0, "happy": 2.0, "sad": 3.0}

        def seconds(table):
            pairs = zip(table["speaker"], table["emotion"], strict=True)
            return [length[e] if s == "s0" else rng.uniform(5, 6) for s, e in pairs]

        protocol = make_protocol(self._table(seconds), name="loso")
        (one,) = (one for one in shortcuts(protocol) if one.column == "seconds")
        assert one.accuracy < 0.45

    def test_unknown_and_foreign_values_are_nobodys(self):
        def seconds(table):
            return ["", "long"] * (len(table["path"]) // 2)

        found, _ = _tried(self._table(seconds), name="loso")
        assert "seconds" not in found or found["seconds"].known == 0


def test_what_is_asked_for_is_no_shortcut_to_itself():
    table = grid("acme", [f"s{k}" for k in range(4)], sentences=5)
    by_gender, _ = _tried(table, label="gender", name="sentence-holdout")
    assert "gender" not in by_gender
    assert by_gender["speaker"].flagged  # who speaks tells it, where speakers are on both sides
    by_speaker, _ = _tried(table, label="speaker", name="sentence-holdout")
    assert not {"speaker", "gender"} & set(by_speaker)


def test_a_model_to_deploy_has_none():
    assert shortcuts(make_protocol(grid("acme", ["a", "b"]), deploy=True)) == ()


def test_a_column_of_one_value_says_nothing():
    found, _ = _tried(grid("acme", ["a", "b", "c", "d"]), name="loso")
    assert "corpus" not in found
