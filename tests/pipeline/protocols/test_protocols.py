from itertools import product

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Protocol, from_plain
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, table, together


def check(protocol: Protocol, clips: Table) -> None:
    """What every protocol promises."""
    tested = np.concatenate([fold.test for fold in protocol.folds])
    assert len(set(tested.tolist())) == len(tested)
    for fold in protocol.folds:
        parts = [set(part.tolist()) for part in (fold.train, fold.dev, fold.test)]
        assert all(parts)
        assert not (parts[0] & parts[1])
        assert not (parts[0] & parts[2])
        assert not (parts[1] & parts[2])
    for column in protocol.disjoint:
        assert protocol.overlaps[column] == 0


ACTORS = [f"{i:02}" for i in range(1, 25)]
CASES = [
    ("emodb-loso", grid("emodb", ["03", "08", "09", "10"]), 4, "speaker"),
    ("savee-strict", grid("savee", ["DC", "JE", "JK", "KL"]), 16, "speaker"),
    ("cremad-5fold", grid("cremad", [str(a) for a in range(1001, 1092)], 1), 5, "speaker"),
    ("tess-loso", grid("tess", ["OAF", "YAF"], sentences=20), 4, "speaker"),
    ("ravdess-6fold", grid("ravdess", ACTORS), 6, "speaker"),
    ("speaker-holdout", grid("mine", [f"s{i}" for i in range(12)]), 1, "speaker"),
]


@pytest.mark.parametrize(("name", "clips", "folds", "cluster"), CASES)
def test_each_corpus_gets_its_own_protocol(
    name: str, clips: Table, folds: int, cluster: str
) -> None:
    protocol = make_protocol(clips)
    assert (protocol.name, len(protocol.folds), protocol.cluster) == (name, folds, cluster)
    check(protocol, clips)
    if name != "speaker-holdout":
        tested = sum(len(fold.test) for fold in protocol.folds)
        assert tested == len(clips["path"])


@pytest.mark.parametrize(
    "name", ["speaker-holdout", "speaker-5fold", "sentence-holdout", "random-holdout"]
)
def test_general_protocols_split_any_corpus(name: str) -> None:
    clips = grid("mine", [f"s{i}" for i in range(12)], sentences=10)
    check(make_protocol(clips, name=name), clips)


def test_ravdess_folds_hold_two_women_and_two_men_each() -> None:
    clips = grid("ravdess", ACTORS)
    for fold in make_protocol(clips).folds:
        held = {(clips["speaker"][row], clips["gender"][row]) for row in fold.test}
        assert len(held) == 4
        assert sum(gender == "female" for _, gender in held) == 2


def test_tess_keeps_the_words_apart_too() -> None:
    clips = grid("tess", ["OAF", "YAF"], sentences=20)
    protocol = make_protocol(clips)
    assert protocol.disjoint == ("speaker", "sentence")
    for fold in protocol.folds:
        trained = {clips["sentence"][row] for row in fold.learn}
        assert not trained & {clips["sentence"][row] for row in fold.test}


def test_the_dev_part_is_of_training_speakers_that_are_not_trained_on() -> None:
    clips = grid("ravdess", ACTORS)
    for fold in make_protocol(clips).folds:
        speakers = [
            {clips["speaker"][row] for row in part} for part in (fold.train, fold.dev, fold.test)
        ]
        assert len(speakers[1]) == 3
        assert not speakers[0] & speakers[1]
        assert not speakers[1] & speakers[2]


def test_meld_uses_its_official_split_and_clusters_by_dialogue() -> None:
    rows = [
        {
            "corpus": "meld",
            "speaker": "Ross",
            "split": split,
            "dialogue": f"{split}-{d}",
            "emotion": e,
        }
        for split, d, e in product(("train", "dev", "test"), range(5), ("joy", "anger"))
    ]
    clips = table(rows)
    protocol = make_protocol(clips)
    fold = protocol.folds[0]
    assert protocol.name == "meld-official"
    assert protocol.cluster == "dialogue"
    for part, name in ((fold.train, "train"), (fold.dev, "dev"), (fold.test, "test")):
        assert set(clips["split"][part]) == {name}


def test_several_corpora_are_split_by_speaker_with_canonical_labels() -> None:
    one, two = grid("emodb", ["03", "08"]), grid("savee", ["03", "DC"])
    clips = together(one, two)
    clips = {**clips, "canonical": np.array(["", *clips["canonical"].tolist()[1:]])}
    protocol = make_protocol(clips)
    assert (protocol.name, protocol.label) == ("speaker-holdout", "canonical")
    assert protocol.left_out == {"no canonical label": 1}
    assert set(protocol.clusters) == {"emodb/03", "emodb/08", "savee/03", "savee/DC"}


def test_speaker_labels_get_a_sentence_disjoint_split() -> None:
    clips = grid("ravdess", ACTORS, sentences=5)
    protocol = make_protocol(clips, label="speaker")
    assert protocol.name == "sentence-holdout"
    assert protocol.classes == tuple(ACTORS)
    check(protocol, clips)


def test_a_hold_out_follows_from_the_seed_and_not_from_other_clips() -> None:
    clips = grid("mine", [f"s{i}" for i in range(12)])
    shuffled = {name: values[::-1] for name, values in clips.items()}
    held = [
        {p.paths[row] for row in p.folds[0].test}
        for p in (make_protocol(clips), make_protocol(shuffled), make_protocol(clips, seed=1))
    ]
    assert held[0] == held[1] != held[2]
    assert make_protocol(clips).hash == make_protocol(shuffled).hash
    assert make_protocol(clips).hash != make_protocol(clips, seed=1).hash


def test_a_hold_out_of_twelve_speakers_tests_four_so_that_there_are_intervals() -> None:
    protocol = make_protocol(grid("mine", [f"s{i}" for i in range(12)]))
    assert len({protocol.clusters[row] for row in protocol.folds[0].test}) == 4


def test_identical_audio_stays_on_one_side_of_a_random_split() -> None:
    clips = grid("mine", ["one"], sentences=40)
    clips = {**clips, "audio_sha256": np.array([str(i // 2) for i in range(len(clips["path"]))])}
    protocol = make_protocol(clips, name="random-holdout")
    assert protocol.overlaps["audio_sha256"] == 0


@pytest.mark.parametrize(
    ("clips", "options", "message"),
    [
        (grid("mine", ["one"]), {}, "only one speaker .*--protocol random-holdout"),
        (grid("mine", [""]), {}, "12 of 12 clips have no speaker.*--protocol random-holdout"),
        (grid("emodb", ["03", "08"]), {"name": "ravdess-6fold"}, "is for ravdess"),
        (grid("emodb", ["03", "08"]), {"name": "fold"}, "no protocol 'fold'; choose one of"),
        (grid("emodb", ["03", "08"]), {"label": "age"}, "no column 'age'"),
        (grid("ravdess", ["f01", "02"]), {}, "a speaker 'f01'; pass --protocol speaker-holdout"),
        (grid("emodb", ["03", "08"]), {"label": "speaker", "name": "emodb-loso"}, "tell speakers"),
        (grid("emodb", ["03", "08"]), {"label": "dialogue"}, "no clip .* has a label dialogue"),
        (grid("meld", ["a", "b"], split="train", dialogue="d"), {}, "both train and test"),
        (
            table([{"corpus": "x", "speaker": s, "emotion": "sad"} for s in "abcdef"]),
            {},
            "nothing to tell apart",
        ),
    ],
)
def test_clips_that_do_not_allow_it_are_refused_with_a_way_out(
    clips: Table, options: dict[str, str], message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        make_protocol(clips, **options)  # type: ignore[arg-type]


def test_a_deployed_model_learns_from_every_clip() -> None:
    protocol = make_protocol(grid("mine", ["one"]), deploy=True)
    assert len(protocol.folds[0].learn) == 12
    assert not len(protocol.folds[0].test)


@pytest.mark.parametrize(("name", "clips", "folds", "cluster"), CASES)
def test_what_a_run_keeps_of_a_protocol_is_enough_to_score(
    name: str, clips: Table, folds: int, cluster: str
) -> None:
    protocol = make_protocol(clips)
    kept = from_plain(protocol.describe(), protocol.assignment())
    assert kept.hash == protocol.hash
    assert [sorted(kept.paths[row] for row in fold.test) for fold in kept.folds] == [
        sorted(protocol.paths[row] for row in fold.test) for fold in protocol.folds
    ]


def test_what_a_protocol_promises_to_keep_apart_and_does_not_is_a_leak() -> None:
    rows = [
        {
            "corpus": "meld",
            "split": split,
            "dialogue": "d3" if d == 3 else f"{split}-{d}",
            "emotion": e,
        }
        for split, d, e in product(("train", "dev", "test"), range(5), ("joy", "anger"))
    ]
    with pytest.raises(ProtocolError, match=r"leak: 2 of 10 tested clips \(20.0 %\) share their d"):
        make_protocol(table(rows))
    notes = make_protocol(table(rows), allow_leaks=True).notes()
    assert notes[0].startswith("leak: 2 of 10 tested clips (20.0 %) share their dialogue")


def test_any_other_overlap_is_counted_and_said() -> None:
    clips = grid("emodb", ["03", "08", "09"])
    protocol = make_protocol(clips)
    assert protocol.overlaps == {"speaker": 0, "sentence": 36, "audio_sha256": 0}
    assert any("36 of 36 tested clips share their sentence" in note for note in protocol.notes())


def test_identical_audio_on_both_sides_is_refused_or_the_first_thing_said() -> None:
    clips = grid("emodb", ["03", "08", "09"])
    twins = {**clips, "audio_sha256": clips["audio_sha256"].copy()}
    twins["audio_sha256"][-1] = twins["audio_sha256"][0]
    with pytest.raises(ProtocolError, match=r"2 of 36 tested clips \(5.6 %\) are identical.*kfold"):
        make_protocol(twins)
    allowed = make_protocol(twins, allow_leaks=True)
    said = "leak: 2 of 36 tested clips (5.6 %) are identical in audio to trained ones"
    assert allowed.notes()[0] == said
    assert allowed.describe()["leaks"] == {"audio_sha256": 2}
    kept = from_plain(allowed.describe(), allowed.assignment())
    assert (kept.notes()[0], kept.hash) == (said, allowed.hash)
    assert "leaks" not in make_protocol(clips, allow_leaks=True).describe()
    make_protocol(twins, deploy=True)  # nothing is tested


def test_a_class_that_is_tested_and_never_trained_is_named() -> None:
    rows = [
        {"corpus": "emodb", "speaker": s, "emotion": e}
        for s, e in product(("03", "08", "09"), ("joy", "anger"))
    ]
    notes = make_protocol(table([*rows, {**rows[0], "emotion": "fear"}])).notes()
    assert "fold 1 tests classes it never trained on: fear" in notes
    assert any("of 3 classes have under 3 clips: fear" in note for note in notes)


def named_split(*, speakers: str = "abcdefgh", **parts: str) -> Table:
    """A corpus that is nobody's, whose speakers name the part they are in."""
    part_of = {s: part for part, those in parts.items() for s in those}
    clips = grid("mine", list(speakers))
    split = np.array([part_of.get(s, "") for s in clips["speaker"]])
    return {**clips, "split": split}


def test_a_split_that_every_clip_names_is_followed() -> None:
    clips = named_split(train="abcde", dev="f", test="gh")
    protocol = make_protocol(clips)
    fold = protocol.folds[0]
    assert (protocol.name, protocol.disjoint, protocol.left_out) == ("official", (), {})
    for part, name in ((fold.train, "train"), (fold.dev, "dev"), (fold.test, "test")):
        assert set(clips["split"][part]) == {name}
    assert not any("official split" in note for note in protocol.notes())
    assert protocol.overlaps["speaker"] == 0


def test_a_split_without_a_development_part_gets_one_of_whole_speakers() -> None:
    clips = named_split(train="abcdef", test="gh")
    fold = make_protocol(clips).folds[0]
    assert len(fold.dev)
    assert not set(clips["speaker"][fold.dev]) & set(clips["speaker"][fold.train])


def test_what_is_in_no_part_is_counted_where_the_split_is_asked_for() -> None:
    clips = named_split(train="abcd", test="ef")
    protocol = make_protocol(clips, name="official")
    assert protocol.left_out == {"in no part of the split": 24}
    assert make_protocol(clips).name == "speaker-holdout"


def test_a_split_that_is_not_followed_is_said() -> None:
    clips = named_split(train="abcde", test="fg")
    protocol = make_protocol(clips)
    said = [note for note in protocol.notes() if "official split" in note]
    assert said == [
        "the clips name an official split (train 60, test 24, none 12), which speaker-holdout "
        "does not follow: --protocol official does"
    ]
    kept = from_plain(protocol.describe(), protocol.assignment())
    assert kept.notes() == protocol.notes()
    without = {**clips, "split": np.full(len(clips["split"]), "")}
    assert make_protocol(without).hash == protocol.hash
    deployed = make_protocol(clips, deploy=True).notes()
    assert any("this model learns from every part of it" in note for note in deployed)


def test_a_split_shares_speakers_and_audio_and_says_so() -> None:
    clips = named_split(train="abcdef", test="gh")
    moved = {**clips, "speaker": np.where(clips["speaker"] == "g", "a", clips["speaker"])}
    notes = make_protocol(moved).notes()
    assert "12 of 24 tested clips share their speaker with trained ones: not kept apart" in notes
    twins = {**clips, "audio_sha256": clips["audio_sha256"].copy()}
    twins["audio_sha256"][-1] = twins["audio_sha256"][0]
    with pytest.raises(ProtocolError, match="leak: 1 of 24 tested clips"):
        make_protocol(twins)


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (named_split(), "needs clips of both train and test; found none"),
        (named_split(train="abc", dev="def"), "found train 36, dev 36, none 24"),
        (named_split(train="abc", test="de", holdout="f"), "12 clips say 'holdout'"),
    ],
)
def test_what_is_no_split_is_refused_by_name(clips: Table, message: str) -> None:
    clips = {**clips, "split": np.where(clips["split"] == "", "", clips["split"])}
    with pytest.raises(ProtocolError, match=message):
        make_protocol(clips, name="official")


def test_a_corpus_with_a_protocol_of_its_own_keeps_it() -> None:
    clips = {**named_split(train="abcde", test="fgh")}
    clips["corpus"] = np.full(len(clips["path"]), "emodb")
    protocol = make_protocol(clips)
    assert protocol.name == "emodb-loso"
    assert any("which emodb-loso does not follow" in note for note in protocol.notes())


def test_an_unknown_speaker_is_no_group_of_a_development_part() -> None:
    clips = grid("mine", ["", *"abcdefg"])
    fold = make_protocol(clips, deploy=True).folds[0]
    assert len(fold.dev)
    assert "" not in clips["speaker"][fold.dev]
    rare = grid("mine", ["", "", "", "", "a", "b", "c"], sentences=9)
    assert set(rare["speaker"][make_protocol(rare, deploy=True).folds[0].dev]) > {""}


def test_unknown_audio_is_not_all_the_same_audio() -> None:
    clips = grid("mine", ["one"], sentences=20)
    clips = {**clips, "audio_sha256": np.full(len(clips["path"]), "")}
    fold = make_protocol(clips, name="random-holdout").folds[0]
    assert 0 < len(fold.test) < len(fold.learn)


def test_intervals_over_clips_are_called_too_narrow() -> None:
    notes = make_protocol(grid("mine", [""], sentences=20), name="random-holdout").notes()
    assert any("not every clip names its speaker" in note for note in notes)


def test_a_label_that_two_corpora_use_otherwise_is_both_in_any_order() -> None:
    one, two = grid("left", list("ab")), grid("right", list("cd"))
    joy = np.where(two["emotion"] == "happy", "joy", two["canonical"])
    two = {**two, "canonical": joy}
    both = together(one, two)
    turned = {name: values[::-1] for name, values in both.items()}
    protocol = make_protocol(both)
    assert protocol.label_map["happy"] == "happy or joy"
    assert protocol.hash == make_protocol(turned).hash


def test_a_run_keeps_the_facts_of_every_clip() -> None:
    clips = grid("emodb", "dcba")
    protocol = make_protocol(clips, name="emodb-loso")
    assert "split" not in protocol.columns  # nobody names one
    kept = from_plain(protocol.describe(), protocol.assignment(), protocol.facts())
    by_path = dict(zip(clips["path"].tolist(), clips["gender"].tolist(), strict=True))
    assert dict(zip(kept.paths, kept.columns["gender"], strict=True)) == by_path
    assert kept.hash == protocol.hash == from_plain(kept.describe(), kept.assignment()).hash
    with pytest.raises(ValueError, match="a fact for each clip"):
        from_plain(protocol.describe(), protocol.assignment(), {"gender": ["female"]})
