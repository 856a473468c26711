"""What every protocol promises, of any table: unknown values, several corpora, splits."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import from_plain
from gensr.pipeline.protocols.registry import SPLITTERS, splitter_of
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid

ARGUMENTS = {
    "speaker-kfold": ":3",
    "kfold": ":3",
    "cross-corpus": ":left:right",
    "column": ":sentence",
}
"""What to ask for where a name alone is no question."""
ANY = sorted(
    name + ARGUMENTS.get(name, "")
    for name, family in SPLITTERS.items()
    if not family.corpora and name != "emobox"  # which needs files (test_emobox.py)
)


def test_every_family_for_any_corpus_is_tried_here():
    for name in ANY:
        splitter_of(name)


def column(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *values])


CLIP = st.fixed_dictionaries(
    {
        "corpus": st.sampled_from(["left", "right"]),
        "speaker": column(*"abcdef"),
        "sentence": column(*"uvwxyz"),
        "dialogue": column("1", "2", "3"),
        "emotion": column("angry", "happy", "sad"),
        "split": column("train", "dev", "test"),
        "gender": column("female", "male"),
        "audio_sha256": st.sampled_from([f"{i:x}" for i in range(40)] + [""]),
    }
)
TABLES = st.tuples(
    st.lists(CLIP, min_size=6, max_size=24),
    st.sampled_from([(), ("corpus",), ("speaker",), ("corpus", "speaker", "sentence", "split")]),
)
"""Clips, and the columns of which no value is unknown (and one corpus there is)."""


def table(clips, filled):
    rows = []
    for number, clip in enumerate(clips):
        row = clip | {"path": f"{number}.wav", "canonical": clip["emotion"]}
        for name in filled:
            row[name] = "left" if name == "corpus" else row[name] or "train"
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def made(clips, **asked):
    try:
        return make_protocol(clips, allow_leaks=True, **asked)
    except ProtocolError:
        return None


LOOK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


@LOOK
@given(TABLES, st.sampled_from([None, *ANY]), st.sampled_from(["emotion", "gender", "speaker"]))
def test_parts_are_disjoint_and_so_are_promised_groups(drawn, name, label):
    clips = table(*drawn)
    protocol = made(clips, name=name, label=label)
    if protocol is None:
        return
    row_of = {path: row for row, path in enumerate(clips["path"])}
    own = np.array([row_of[path] for path in protocol.paths])
    tested = []
    for fold in protocol.folds:
        train, dev, test = (set(part.tolist()) for part in (fold.train, fold.dev, fold.test))
        assert train
        assert len(train | dev | test) == len(fold.train) + len(fold.dev) + len(fold.test)
        tested += test
        for column in () if protocol.leaks else protocol.disjoint:
            learnt, held = (
                {(clips["corpus"][row], clips[column][row]) for row in own[list(part)]}
                for part in (train | dev, test)
            )
            assert not learnt & held
            assert "" not in {value for _, value in held}
    assert len(tested) == len(set(tested))
    assert "" not in protocol.clusters
    assert "" not in protocol.classes
    taken = {row for fold in protocol.folds for part in (fold.learn, fold.test) for row in part}
    assert len(taken) + sum(protocol.left_out.values()) == len(clips["path"])


@LOOK
@given(TABLES, st.sampled_from([None, *ANY]), st.booleans())
def test_an_unknown_value_is_no_group_of_a_development_part(drawn, name, deploy):
    """Whatever column the part was drawn by: it holds none of the clips that lack it."""
    clips = table(*drawn)
    protocol = made(clips, name=name, deploy=deploy)
    if protocol is None or (splitter := splitter_of(protocol.name)).official:
        return
    groups = splitter.groups if splitter.dev is None else splitter.dev
    row_of = {path: row for row, path in enumerate(clips["path"])}
    own = np.array([row_of[path] for path in protocol.paths])
    for fold in protocol.folds:
        if not len(fold.dev):
            continue
        drawn_by = [
            name
            for name in (*groups, "sentence", "audio_sha256", "path")
            if not set(clips[name][own[fold.dev]]) & set(clips[name][own[fold.train]])
        ]
        assert any("" not in clips[name][own[fold.dev]] for name in drawn_by)


@LOOK
@given(TABLES, st.sampled_from([None, *ANY]))
def test_leaks_are_refused_or_said_first(drawn, name):
    """Whatever is on both sides and should not be: no protocol is made of it in silence."""
    clips = table(*drawn)
    protocol = made(clips, name=name)
    if protocol is None:
        return
    apart = {*protocol.disjoint, "audio_sha256"}
    shared = {column for column, count in protocol.overlaps.items() if count} & apart
    assert set(protocol.leaks) == shared
    if shared:
        assert protocol.notes()[0].startswith("leak: ")
        with pytest.raises(ProtocolError, match="leak: "):
            make_protocol(clips, name=name)
    else:
        assert make_protocol(clips, name=name).hash == protocol.hash


@LOOK
@given(TABLES, st.sampled_from(["speaker-holdout", "speaker-kfold:3", "speaker-5fold"]))
def test_every_corpus_and_gender_gives_its_share(drawn, name):
    """Of two or more speakers of a corpus and gender, a hold-out of several tests some, not all."""
    clips = table(*drawn)
    protocol = made(clips, name=name)
    if protocol is None or len(protocol.corpora) < 2 or len(set(protocol.clusters)) < 4:
        return
    of = {}
    genders = protocol.columns.get("gender", [""] * len(protocol.paths))
    for who, corpus, gender in zip(
        protocol.columns["speaker"], protocol.columns["corpus"], genders, strict=True
    ):
        of[who] = min(of.get(who, (corpus, gender)), (corpus, gender))
    for fold in protocol.folds:
        tested = {protocol.columns["speaker"][row] for row in fold.test}
        for stratum in set(of.values()):
            people = {who for who in of if of[who] == stratum}
            if name == "speaker-holdout" and len(people) > 1:
                assert 0 < len(people & tested) < len(people)
            elif name != "speaker-holdout":
                count = len(protocol.folds)
                assert len(people & tested) in (len(people) // count, -(-len(people) // count))


@LOOK
@given(TABLES, st.sampled_from([None, *ANY]), st.randoms(use_true_random=False))
def test_the_hash_does_not_know_the_order_of_the_clips(drawn, name, random):
    clips = table(*drawn)
    order = list(range(len(clips["path"])))
    random.shuffle(order)
    one, other = (
        made(given, name=name) for given in (clips, {k: v[order] for k, v in clips.items()})
    )
    assert (one is None) == (other is None)
    if one is not None:
        assert one.hash == other.hash
        kept = from_plain(one.describe(), one.assignment())
        assert kept.hash == one.hash


def test_small_corpora_beside_each_other_test_speakers_enough_for_an_interval() -> None:
    tables = [grid(corpus, speakers) for corpus, speakers in (("one", "abcdef"), ("two", "ghijk"))]
    both = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    n = len(both["path"])
    both |= {"gender": np.full(n, ""), "audio_sha256": np.arange(n).astype(str)}
    protocol = make_protocol(both, name="speaker-holdout")
    tested = {both["speaker"][row] for fold in protocol.folds for row in fold.test}
    assert len(tested) >= 4
