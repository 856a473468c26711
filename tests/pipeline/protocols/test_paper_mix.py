"""The paper's mix from files to numbers: six corpora under their official names, MELD's own tables.

Audio is made; names and tables are the corpora's: MELD's rows and CREMA-D's names are read from
GENSR_CORPORA, a part of them, every speaker of MELD's test among them.
"""

import csv
import json
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from gensr.features.corpora import savee, tess
from gensr.features.corpora.labels import CANONICAL, canonical
from gensr.features.corpora.scan import scan
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.protocols.mix import CORPORA
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import evaluate
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.train import train
from support import tones

pytestmark = pytest.mark.slow

FOLDERS = {
    "train": "train_splits",
    "dev": "dev_splits_complete",
    "test": "output_repeats_splits_test",
}


class Voices:
    """A quarter of a second for every clip: its emotion is heard, no two are the same."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0

    def say(self, path: str, emotion: str) -> None:
        self.count += 1
        rng = np.random.default_rng(self.count)
        t = np.arange(4000) / 16_000
        kind = CANONICAL.index(canonical(emotion))
        hz = 150 * 1.2**kind * rng.uniform(0.95, 1.05)
        tone = sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 6))
        tones.write_clip(self.root / path, (0.1 * tone + rng.normal(0, 0.02, 4000)).clip(-1, 1))


def acted(voices: Voices, corpora: Path) -> None:
    """The five corpora whose names say everything."""
    emodb = [*"WLEAFTN"]
    for who, text, code in product(("03", "08", "09", "10", "11"), ("a01", "b02"), emodb):
        words = ("anger", "boredom", "disgust", "fear", "happiness", "sadness", "neutral")
        voices.say(f"emodb/wav/{who}{text}{code}a.wav", words[emodb.index(code)])
    kinds = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    for actor, (number, emotion) in product(range(1, 13), enumerate(kinds, 1)):
        name = f"03-01-{number:02}-01-01-01-{actor:02}"
        voices.say(f"ravdess/Actor_{actor:02}/{name}.wav", emotion)
    for who, word, (code, emotion) in product(
        ("OAF", "YAF"), ("back", "dog", "kite"), tess.EMOTIONS.items()
    ):
        voices.say(f"tess/{who}_{code}/{who}_{word}_{code}.wav", emotion)
    for who, (code, emotion), number in product(savee.SPEAKERS, savee.EMOTIONS.items(), (1, 4)):
        voices.say(f"savee/{who}/{code}{number:02}.wav", emotion)
    names = (corpora / "crema-d/AudioWAV-filenames.txt").read_text().split()
    for name in names[::37]:
        voices.say(f"cremad/AudioWAV/{name}", name.split("_")[2])
    demographics = (corpora / "crema-d/VideoDemographics.csv").read_text()
    (voices.root / "cremad/VideoDemographics.csv").write_text(demographics)


def on_television(voices: Voices, corpora: Path) -> Counter[str]:
    """MELD: a part of its rows as they are, and a clip for each; rows by split."""
    counts: Counter[str] = Counter()
    for split, folder in FOLDERS.items():
        name = f"{split}_sent_emo.csv"
        with (corpora / "meld" / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        seen: set[str] = set()
        kept = []
        for number, row in enumerate(rows):
            new = split == "test" and row["Speaker"] not in seen
            if new or number % (40 if split == "train" else 20) == 0:
                kept.append(row)
                seen.add(row["Speaker"])
        (voices.root / "meld" / folder).mkdir(parents=True)
        with (voices.root / "meld" / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(kept)
        for row in kept:
            clip = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}.wav"
            voices.say(f"meld/{folder}/{clip}", row["Emotion"])
        counts[split] = len(kept)
    return counts


@pytest.fixture(scope="module")
def mixed(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counter[str]]:
    """Six stores, and how many clips of MELD are in which part."""
    root = tmp_path_factory.mktemp("mix")
    voices = Voices(root)
    acted(voices, corpora)
    counts = on_television(voices, corpora)
    for name in CORPORA:
        found = scan(root / name)
        assert found.problems == ()
        assert {clip.corpus for clip in found.clips} == {name}
        extract(root / name, root / f"{name}.zarr", ExtractConfig(encoder="fbank"))
    return root, counts


def test_from_six_corpora_to_melds_official_test(
    mixed: tuple[Path, Counter[str]], tmp_path: Path
) -> None:
    root, counts = mixed
    settings = tmp_path / "tiny.toml"
    settings.write_text(tones.TINY)
    report = train(
        [root / f"{name}.zarr" for name in CORPORA],
        TrainConfig(protocol="paper-mix", steps=150, settings=settings, device="cpu"),
        folder=tmp_path / "run",
    )
    protocol = Run.open(tmp_path / "run").protocol
    assert protocol.hash == report.protocol.hash
    assert protocol.corpora == CORPORA
    assert protocol.label == "canonical"
    assert len(protocol.classes) == 7
    (fold,) = report.protocol.folds
    assert (len(fold.test), len(fold.dev)) == (counts["test"], counts["dev"])
    assert protocol.left_out == {
        "labelled boredom, no class of meld": 10,
        "labelled calm, no class of meld": 12,
    }
    # Speakers of the series are on both sides by design; dialogues are not.
    assert protocol.overlaps["dialogue"] == 0
    assert protocol.overlaps["speaker"] > 0
    assert protocol.leaks == {}
    found = evaluate(report.run, steps=(4,), device="cpu")
    assert found.numbers.n == counts["test"]
    dialogues = {protocol.clusters[row] for row in protocol.folds[0].test}
    assert found.numbers.clusters == len(dialogues)
    assert all(name.startswith("meld/test-") for name in dialogues)
    values = found.numbers.values
    assert values["accuracy"] > values["majority_baseline"]  # it learnt what is heard
    answered = report.run.predictions()
    assert {given.corpus for given in answered} == {"meld"}
    plain = json.loads((tmp_path / "run/protocol.json").read_text())["protocol"]
    assert plain["roles"]["meld"] == "learnt from and tested"
    assert plain["roles"]["ravdess"] == "learnt from"


def test_a_part_of_the_mix_says_what_is_absent(mixed: tuple[Path, Counter[str]]) -> None:
    from gensr.pipeline.protocols.splitters import make_protocol
    from support.loaded import load_vectors

    root, _ = mixed
    stores = [root / f"{name}.zarr" for name in ("emodb", "meld", "ravdess")]
    protocol = make_protocol(load_vectors(stores).table)  # the default where MELD is given
    assert protocol.name == "paper-mix"
    assert protocol.notes()[0] == "not the whole mix: no clips of cremad, savee, tess"


def test_cross_corpus_and_hold_outs_of_the_same_stores(mixed: tuple[Path, Counter[str]]) -> None:
    from gensr.pipeline.protocols.splitters import make_protocol
    from support.loaded import load_vectors

    root, _ = mixed
    clips = load_vectors([root / f"{name}.zarr" for name in CORPORA]).table
    out = make_protocol(clips, name="leave-one-corpus-out")
    assert [fold.held_out for fold in out.folds] == [f"corpus {name}" for name in CORPORA]
    held = make_protocol(clips, name="speaker-holdout")
    tested = Counter(held.columns["corpus"][row] for row in held.folds[0].test)
    assert set(tested) == set(CORPORA)  # each gives its share
    assert held.notes()[0].startswith("learns from clips of an official test part (meld ")
