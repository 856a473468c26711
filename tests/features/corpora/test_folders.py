"""Folders of speakers, splits and emotions, in any order: right labels, or refused."""

import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.corpora import official
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.folders import read_folders
from gensr.features.corpora.scan import Scan, scan

ROOT = Path("mine")


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def by_path(found: Scan) -> dict[str, Clip]:
    return {clip.path: clip for clip in found.clips}


def test_speaker_and_emotion(tmp_path: Path) -> None:
    speakers, emotions = ("0001", "0002"), ("Angry", "Sad")
    names = [f"{s}/{e}/{s}_{k}.wav" for s in speakers for e in emotions for k in "12"]
    found = scan(fill(tmp_path / "esd", *names))
    assert {(c.emotion, c.speaker) for c in found.clips} == {
        (emotion, speaker) for emotion in ("Angry", "Sad") for speaker in ("0001", "0002")
    }
    assert all(c.path.startswith(f"{c.speaker}/{c.emotion}/") for c in found.clips)
    assert found.problems == ()
    assert any("taken for the speakers: 0001, 0002" in note for note in found.notes)


@pytest.mark.parametrize(
    ("train", "dev", "test"),
    [
        ("Training", "Validation", "Testing"),
        ("train", "val", "test"),
        ("TRAIN_SET", "dev-set", "test data"),
        ("train", "eval", "test"),
        ("train", "dev", "evaluation"),
    ],
)
def test_splits_in_their_usual_spellings(tmp_path: Path, train: str, dev: str, test: str) -> None:
    names = [f"{part}/{e}/{e}.wav" for part in (train, dev, test) for e in ("angry", "sad")]
    found = scan(fill(tmp_path, *names))
    means = {train: "train", dev: "dev", test: "test"}
    assert {c.split for c in found.clips} == {"train", "dev", "test"}
    for clip in found.clips:
        part, emotion, _ = PurePosixPath(clip.path).parts
        assert (clip.split, clip.emotion, clip.speaker) == (means[part], emotion, "")


def test_dev_test_and_eval_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="dev, test and eval: rename"):
        scan(fill(tmp_path, "dev/sad/a.wav", "test/sad/b.wav", "eval/sad/c.wav"))


ESD = [
    f"{speaker}/{emotion}/{part}/{speaker}_{n}.wav"
    for speaker in ("0001", "0002")
    for emotion in ("生气", "快乐", "中立")
    for n, part in enumerate(("train", "evaluation", "test"))
]
EMOV = [
    f"{speaker}_{emotion}/{emotion.lower()}_57-84_0057.wav"
    for speaker in ("bea", "jenie", "josh", "sam")
    for emotion in ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
    if (speaker, emotion) not in {("josh", "Angry"), ("josh", "Disgusted")}
]
ENTERFACE = [
    f"subject {n}/{e}/{'' if n == 6 else f'sentence {k}/'}s{n}_{e[:2]}_{k}.wav"
    for n in (5, 6, 19)
    for e in ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
    for k in range(1, 6)
]


def test_esd_with_chinese_words_and_splits_below(tmp_path: Path) -> None:
    found = scan(fill(tmp_path, *ESD))
    assert len(found.clips) == len(ESD)
    for clip in found.clips:
        speaker, emotion, part, _ = PurePosixPath(clip.path).parts
        assert (clip.speaker, clip.emotion) == (speaker, emotion)
        assert clip.split == {"evaluation": "dev"}.get(part, part)
    assert {c.canonical for c in found.clips} == {"anger", "happiness", "neutral"}


def test_emov_db(tmp_path: Path) -> None:
    found = scan(fill(tmp_path, *EMOV))
    assert len(found.clips) == len(EMOV)
    for clip in found.clips:
        assert f"{clip.speaker}_{clip.emotion}" == PurePosixPath(clip.path).parts[0]


def test_enterface(tmp_path: Path) -> None:
    found = scan(fill(tmp_path, *ENTERFACE))
    assert len(found.clips) == len(ENTERFACE)
    for clip in found.clips:
        speaker, emotion, *rest = PurePosixPath(clip.path).parts
        assert (clip.speaker, clip.emotion) == (speaker, emotion)
        assert clip.sentence == (rest[0] if len(rest) > 1 else "")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Session1/angry/a.wav", {"emotion": "angry", "session": "Session1", "speaker": ""}),
        ("female/Actor_02/wütend/a.wav", {"gender": "female", "speaker": "Actor_02"}),
        ("german/0003/Freude/a.wav", {"emotion": "Freude", "canonical": "happiness"}),
        ("01_neutral/a.wav", {"emotion": "neutral", "speaker": ""}),
        ("wav/colère/prise2/a.wav", {"emotion": "colère", "canonical": "anger"}),
        ("female_sad/a.wav", {"emotion": "sad", "gender": "female"}),
        ("not_angry/a.wav", {"emotion": "not_angry", "canonical": ""}),
        ("dev_splits_complete/angry/a.wav", {"emotion": "angry", "split": "dev"}),
        ("M003/audio/angry/level_1/001.wav", {"emotion": "angry", "speaker": "M003"}),
        ("Angry/deep/er/a.wav", {"emotion": "Angry", "speaker": ""}),
    ],
)
def test_names_that_tell(path: str, said: dict[str, str]) -> None:
    (clip,) = read_folders([path], ROOT).clips
    known = {field: getattr(clip, field, None) for field in said}
    known |= {name: clip.extra[name] for name in said if name in clip.extra}
    assert known == said


def test_how_it_was_spoken_is_no_speaker() -> None:
    paths = [f"{e}/{how}/a.wav" for e in ("sad", "angry") for how in ("normal", "strong")]
    assert {(c.emotion, c.speaker) for c in read_folders(paths, ROOT).clips} == {
        ("sad", ""),
        ("angry", ""),
    }


def test_two_people_of_one_number_are_two() -> None:
    paths = [f"{g}/{n}/{e}/a.wav" for g in ("male", "female") for n in "12" for e in ("sad", "joy")]
    assert {clip.speaker for clip in read_folders(paths, ROOT).clips} == {
        *("male 1", "male 2", "female 1", "female 2")
    }


def test_what_lies_elsewhere_is_named(tmp_path: Path) -> None:
    good = [f"0001/{e}/a.wav" for e in ("Angry", "Sad")] + ["0002/Angry/a.wav"]
    bad = {
        "0001/b.wav": "no emotion's folder",
        "0003/x/b.wav": "no emotion's folder",
        "c.wav": "no folder that could be its class",
        "train/d.wav": "no emotion's folder",
        "0001/Angry/Sad/e.wav": "folders of two emotions, Angry and Sad",
        "0001/anna_angry/f.wav": "an emotion and something else",
        "0001/take 2/g.wav": "no emotion's folder",
        "0001/Angry/train/test/h.wav": "two folders for its split, train and test",
    }
    found = scan(fill(tmp_path, *good, *bad))
    assert sorted(by_path(found)) == sorted(good)
    problems = {problem.path: problem.reason for problem in found.problems}
    assert set(problems) == set(bad)
    for path, reason in bad.items():
        assert reason in problems[path], path


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (
            ["a1/b1/x.wav", "a2/b2/x.wav"],
            "levels of folders could be the classes (a1, a2; b1, b2)",
        ),
        (
            [f"Session{k}/sentences/wav/Ses0{k}F_{n}/x.wav" for k in (1, 2) for n in ("i1", "i2")],
            "2 levels of folders could be the classes",
        ),
        (["0001/smug/x.wav", "0002/smug/x.wav"], "levels of folders could be the classes"),
        (["happy/sad/x.wav", "joy/angry/x.wav"], "two levels of folders could be the classes"),
        (["Training/x.wav", "Testing/y.wav"], "(Testing, Training) are splits, not classes"),
    ],
)
def test_what_is_ambiguous_is_refused(tmp_path: Path, paths: list[str], message: str) -> None:
    with pytest.raises(CorpusError, match=r"write a manifest\.csv") as caught:
        scan(fill(tmp_path, *paths))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [("de", "fr"), ("0", "1", "9"), ("class_a", "class_b"), ("high", "low"), ("speech", "music")],
)
def test_other_classes_are_as_good(names: tuple[str, ...]) -> None:
    paths = [f"{part}/{name}/x.wav" for part in ("train", "test") for name in names]
    clips = read_folders(paths, ROOT).clips
    assert {(c.split, c.emotion) for c in clips} == {
        (s, n) for s in ("train", "test") for n in names
    }
    assert {c.speaker for c in clips} == {""}


def test_folders_of_genders_alone_are_genders() -> None:
    clips = read_folders(["train/female/x.wav", "test/male/y.wav"], ROOT).clips
    assert [(c.gender, c.emotion, c.split) for c in clips] == [
        ("female", "", "train"),
        ("male", "", "test"),
    ]


def test_a_letter_among_letters_is_a_person_and_no_gender() -> None:
    for form in ("{}/{}/x.wav", "{}_{}/x.wav"):
        paths = [form.format(who, how) for who in "abcdefm" for how in ("angry", "sad")]
        clips = read_folders(paths, ROOT).clips
        assert {(c.speaker, c.gender) for c in clips} == {(who, "") for who in "abcdefm"}
        paths = [form.format(who, how) for who in "fm" for how in ("angry", "sad")]
        clips = read_folders(paths, ROOT).clips
        assert {(c.speaker, c.gender) for c in clips} == {("", "female"), ("", "male")}


def test_folders_of_people_alone_are_no_classes() -> None:
    clips = read_folders(["Actor_01/x.wav", "Actor_02/y.wav"], ROOT).clips
    assert [(c.speaker, c.emotion) for c in clips] == [("Actor_01", ""), ("Actor_02", "")]


def test_a_tree_nested_in_itself_counts_once(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", "0001/sad/a.wav", "0001/joy/a.wav", "0002/sad/a.wav")
    for name in ("0001/sad/a.wav", "0001/joy/a.wav"):
        (root / "copy" / name).parent.mkdir(parents=True)
        (root / "copy" / name).write_bytes((root / name).read_bytes())
    found = scan(root)
    assert sorted(by_path(found)) == ["0001/joy/a.wav", "0001/sad/a.wav", "0002/sad/a.wav"]
    assert any("mine: 2 files are copies, byte for byte" in note for note in found.notes)


LEVELS = {
    "speaker": (
        ("0001", "0002", "0003"),
        ("anna", "ben", "cyd"),
        ("Actor_1", "Actor_2"),
        ("F1", "M2"),
    ),
    "split": (("train", "test"), ("Training", "Validation"), ("train", "dev", "test")),
    "emotion": (("Angry", "sad"), ("Wut", "Freude", "neutral"), ("anger", "excited", "smug")),
    "container": (("wav",), ("audio",)),
}
PARTS = {"Training": "train", "Validation": "dev"}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_of_levels_gives_right_labels_or_none(data: st.DataObject) -> None:
    kinds = data.draw(st.permutations(list(LEVELS)))
    kinds = [kind for kind in kinds if kind == "emotion" or data.draw(st.booleans())]
    names = {kind: data.draw(st.sampled_from(LEVELS[kind])) for kind in kinds}
    truth: dict[str, dict[str, str]] = {}
    for n in range(data.draw(st.integers(1, 24))):
        said = {kind: data.draw(st.sampled_from(names[kind])) for kind in kinds}
        kept = [kind for kind in kinds if kind == "emotion" or data.draw(st.integers(0, 9))]
        said["emotion"] = said["emotion"] if n else names["emotion"][0]  # one is an emotion's word
        truth["/".join([said[kind] for kind in kept] + [f"{n}.wav"])] = said
    try:
        found = read_folders(list(truth), ROOT)
    except CorpusError:
        return
    assert {c.path for c in found.clips} | {p.path for p in found.problems} == set(truth)
    for clip in found.clips:
        said = truth[clip.path]
        folders = PurePosixPath(clip.path).parts[:-1]
        assert clip.emotion == said["emotion"]
        assert clip.speaker in ("", said.get("speaker", ""))
        told = said.get("split", "") if said.get("split") in folders else ""
        assert clip.split == PARTS.get(told, told)


@settings(deadline=None)
@given(st.data())
def test_whole_trees_lose_nothing(data: st.DataObject) -> None:
    """Every speaker in every emotion: nothing is refused, in any order, and speakers are known."""
    kinds = data.draw(st.permutations(list(LEVELS)))
    names = {kind: data.draw(st.sampled_from(LEVELS[kind])) for kind in kinds}
    paths = [""]
    for kind in kinds:
        paths = [f"{path}{name}/" for path in paths for name in names[kind]]
    found = read_folders([f"{path}x.wav" for path in paths], ROOT)
    assert found.problems == ()
    for clip in found.clips:
        said = dict(zip(kinds, PurePosixPath(clip.path).parts, strict=False))
        assert (clip.emotion, clip.speaker) == (said["emotion"], said["speaker"])
        assert clip.split == PARTS.get(said["split"], said["split"])


def test_the_words_of_splits_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs/corpora.md").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("- **Splits** "))
    spellings, evals = line.split(" in any case", 1)
    told = [set(re.findall(r"`(\w+)`", part)) for part in spellings.split(";")[:3]]
    told.append(set(re.findall(r"`(eval\w*)`", evals)))
    assert told == [set(words) for words in official._WORDS.values()]
