"""Each adapter's pure reading of names, on whole official lists of names."""

import itertools
from collections import Counter
from pathlib import Path

import pytest

from gensr.features.corpora import cremad, emodb, meld, ravdess, savee, tess
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.labels import CANONICAL
from gensr.features.corpora.registry import CORPORA

ADAPTERS = [CORPORA[name] for name in CORPORA]

WORDS = [f"word{a}{b}" for a, b in itertools.product("abcdefghijklmnopqrst", "abcdefghij")]


def tess_names() -> list[str]:
    names = [f"{s}_{w}_{e}.wav" for s in ("OAF", "YAF") for w in WORDS for e in tess.EMOTIONS]
    names[names.index("OAF_wordaa_neutral.wav")] = "OA_bite_neutral.wav"
    return names


def savee_names() -> list[str]:
    return [
        f"{speaker}/{code}{number:02d}.wav"
        for speaker in savee.SPEAKERS
        for code in savee.EMOTIONS
        for number in range(1, 31 if code == "n" else 16)
    ]


def ravdess_names() -> list[str]:
    codes = itertools.product(range(1, 9), (1, 2), (1, 2), (1, 2), range(1, 25))
    return [
        "03-01-" + "-".join(f"{code:02d}" for code in row) + ".wav"
        for row in codes
        if row[:2] != (1, 2)
    ]


def emodb_names(corpora: Path) -> list[str]:
    lines = (corpora / "emodb" / "checksums.tsv").read_text().splitlines()[1:]
    return [line.split("\t")[0] for line in lines]


def cremad_names(corpora: Path) -> list[str]:
    return (corpora / "crema-d" / "AudioWAV-filenames.txt").read_text().split()


def clips(names: list[str]) -> list[Clip]:
    """Read names by the only adapter that knows them."""
    result = []
    for name in names:
        known = [item for adapter in ADAPTERS if (item := adapter.read(name, ""))]
        assert len(known) == 1, name
        assert isinstance(known[0], Clip)
        result.append(known[0])
    return result


def test_emodb(corpora: Path) -> None:
    found = clips(emodb_names(corpora))
    assert len(found) == 535
    assert Counter(clip.emotion for clip in found) == {
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "sadness": 62,
        "neutral": 79,
    }
    speakers = {clip.speaker: clip.gender for clip in found}
    assert len(speakers) == 10
    assert Counter(speakers.values()) == {"female": 5, "male": 5}
    assert len({clip.sentence for clip in found}) == 10
    assert {clip.corpus for clip in found} == {"emodb"}


def test_cremad(corpora: Path) -> None:
    found = clips(cremad_names(corpora))
    assert len(found) == 7442
    assert len({clip.speaker for clip in found}) == 91
    assert {clip.sentence for clip in found} == set(cremad.SENTENCES)
    assert Counter(clip.emotion for clip in found)["neutral"] == 1087
    assert {clip.emotion for clip in found} == set(cremad.EMOTIONS.values())


def test_ravdess() -> None:
    found = clips(ravdess_names())
    assert len(found) == 1440
    counts = Counter(clip.emotion for clip in found)
    assert counts.pop("neutral") == 96
    assert set(counts.values()) == {192}
    assert len(counts) == 7
    speakers = {clip.speaker: clip.gender for clip in found}
    assert Counter(speakers.values()) == {"female": 12, "male": 12}
    assert speakers["02"] == "female"


def test_tess() -> None:
    found = clips(tess_names())
    assert len(found) == 2800
    assert set(Counter(clip.emotion for clip in found).values()) == {400}
    assert {clip.speaker for clip in found} == {"OAF", "YAF"}
    assert {clip.gender for clip in found} == {"female"}
    misnamed = next(clip for clip in found if clip.sentence == "bite")
    assert (misnamed.speaker, misnamed.emotion) == ("OAF", "neutral")


def test_savee() -> None:
    found = clips(savee_names())
    assert len(found) == 480
    counts = Counter(clip.emotion for clip in found)
    assert counts.pop("neutral") == 120
    assert set(counts.values()) == {60}
    assert {clip.speaker for clip in found} == {"DC", "JE", "JK", "KL"}
    # 3 common sentences, 12 of each of six emotions, 30 neutral ones
    assert len({clip.sentence for clip in found}) == 3 + 6 * 12 + 30
    # the form with the speaker in the name says the same
    flat = clips([name.replace("/", "_") for name in savee_names()])
    assert [c.sentence + c.speaker for c in flat] == [c.sentence + c.speaker for c in found]


def test_every_label_has_a_canonical_word(corpora: Path) -> None:
    names = [*emodb_names(corpora)[:300], *cremad_names(corpora)[:300], *ravdess_names()[:700]]
    found = clips([*names, *tess_names()[:200], *savee_names()])
    assert {clip.canonical for clip in found} <= set(CANONICAL)


@pytest.mark.parametrize(
    "name",
    [
        "04a01Fa.wav",  # no speaker 04
        "03a03Fa.wav",  # no text a03
        "03a01Xa.wav",  # no emotion X
        "03a01F.wav",
        "03a01Fab.wav",
        "03a01fa.wav",
        "copy of 03a01Fa.wav",
        "03-01-09-01-02-01-12.wav",  # no emotion 09
        "03-01-01-02-02-01-12.wav",  # neutral is never strong
        "03-01-06-01-02-01-25.wav",  # no actor 25
        "03-01-06-01-02-01-00.wav",
        "03-01-06-01-02-01-12-1.wav",
        "OAF_angry.wav",
        "OAF_back_surprise.wav",
        "OA_back_neutral.wav",
        "a01.wav",
        "angry/a01.wav",
        "KL/sub/a01.wav",  # the folder right above says who speaks
        "KL/a16.wav",
        "KL/n31.wav",
        "KL/a00.wav",
        "KL/s01.wav",
        "MK_a01.wav",
        "1000_DFA_ANG_XX.wav",
        "1092_DFA_ANG_XX.wav",
        "1001_DFA_ANG_X.wav",
        "1001_ABC_ANG_XX.wav",
        "dia0.wav",
        "test/dia0_utt0_extra.wav",
        "clip.wav",
        ".wav",
        "03a01Fa\n.wav",
        "٠٣a01Fa.wav",
        "KL/n1٢.wav",
        "test/dia٢_utt0.wav",
    ],
)
def test_no_adapter_knows_the_name(name: str) -> None:
    assert [adapter.name for adapter in ADAPTERS if adapter.read(name, "")] == []


def test_what_ravdess_has_beside_speech() -> None:
    song = ravdess.read("03-02-06-01-02-01-12.wav")
    assert isinstance(song, Problem)
    assert "song" in song.reason
    silent = ravdess.read("02-01-06-01-02-01-12.mp4")
    assert isinstance(silent, Problem)
    assert "without sound" in silent.reason
    video = ravdess.read("01-01-06-01-02-01-12.mp4")
    assert isinstance(video, Clip)
    assert video.extra["modality"] == "audio-visual"


def test_fields_beside_the_label() -> None:
    clip = ravdess.read("Actor_12/03-01-06-02-01-02-12.wav")
    assert isinstance(clip, Clip)
    assert (clip.speaker, clip.gender, clip.sentence) == ("12", "female", "01")
    assert clip.extra == {"intensity": "strong", "repetition": "02", "modality": "audio"}
    emo = emodb.read("16b10Wb.wav")
    assert isinstance(emo, Clip)
    assert (emo.speaker, emo.sentence, emo.extra["version"]) == ("16", "b10", "b")
    crema = cremad.read("1001_IEO_SAD_LO.wav")
    assert isinstance(crema, Clip)
    assert (crema.gender, crema.extra["level"]) == ("", "low")


def test_savee_root_may_be_the_speakers_folder() -> None:
    clip = savee.read("a01.wav", "JE")
    assert clip is not None
    assert clip.speaker == "JE"
    assert savee.read("a01.wav", "speech") is None


@pytest.mark.parametrize(
    ("path", "root", "split"),
    [
        ("train_splits/dia0_utt0.mp4", "", "train"),
        ("MELD.Raw/dev_splits_complete/dia0_utt0.mp4", "", "dev"),
        ("output_repeats_splits_test/dia0_utt0.mp4", "", "test"),
        ("train/wav/dia0_utt0.wav", "", "train"),
        ("Test/dia0_utt0.wav", "", "test"),
        ("val/dia0_utt0.wav", "", "dev"),
        ("train/test_splits_wav/dia0_utt0.wav", "", "test"),  # the nearest says
        ("dia0_utt0.wav", "train_splits", "train"),
        ("dia0_utt0.wav", "test_of_mine", ""),
        ("latest/dia0_utt0.wav", "", ""),
    ],
)
def test_meld_split_is_the_folders(path: str, root: str, split: str) -> None:
    assert meld.split_of(path, root) == split
    item = meld.read(path, root)
    if split:
        assert isinstance(item, Clip)
        assert (item.split, item.dialogue) == (split, f"{split}-0")
    else:
        assert isinstance(item, Problem)
