"""Every corpus that is known by its names, and roots that are read otherwise."""

from pathlib import Path

from gensr.features.corpora import (
    cremad,
    emodb,
    iemocap,
    meld,
    msp_podcast,
    ravdess,
    savee,
    tess,
)
from gensr.features.corpora.registry import CORPORA
from support.contracts.corpus import AdapterContract, RootContract
from support.corpora import NAMES, write_consensus, write_evaluation


def test_every_adapter_is_tried_here() -> None:
    assert {*CORPORA} == set(NAMES)


class TestEmodb(AdapterContract):
    adapter, names = emodb.ADAPTER, NAMES["emodb"]
    emotions = ("happiness", "anger", "boredom", "sadness")


class TestRavdess(AdapterContract):
    adapter, names = ravdess.ADAPTER, NAMES["ravdess"]
    emotions = ("fearful", "surprised", "neutral")


class TestTess(AdapterContract):
    adapter, names = tess.ADAPTER, NAMES["tess"]
    emotions = ("fear", "neutral", "sad")


class TestSavee(AdapterContract):
    adapter, names = savee.ADAPTER, NAMES["savee"]
    emotions = ("anger", "surprise", "neutral", "sadness")


class TestCremad(AdapterContract):
    adapter, names = cremad.ADAPTER, NAMES["cremad"]
    emotions = ("anger", "sad", "neutral")


class TestMeld(AdapterContract):
    adapter, names = meld.ADAPTER, NAMES["meld"]
    emotions = ("sadness", "joy")
    by_tables = True

    def tables(self, root: Path) -> None:
        (root / "test_sent_emo.csv").write_text(
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
            '1,"Oh, no",Ross,sadness,negative,0,0\n2,Hi,Monica,joy,positive,0,1\n'
        )


class TestIemocap(AdapterContract):
    adapter, names = iemocap.ADAPTER, NAMES["iemocap"]
    emotions = ("neutral", "excitement", "")
    by_tables = True

    def tables(self, root: Path) -> None:
        for session, dialogue, turns in (
            (1, "Ses01F_impro01", {"F000": "neu", "M026": "exc"}),
            (5, "Ses05M_script01_1b", {"M003": "xxx"}),
        ):
            write_evaluation(root, session, dialogue, turns)


class TestMspPodcast(AdapterContract):
    adapter, names = msp_podcast.ADAPTER, NAMES["msp_podcast"]
    emotions = ("neutral", "contempt", "")
    by_tables = True

    def tables(self, root: Path) -> None:
        write_consensus(root, dict(zip(self.names, "NCX", strict=True)))


class TestFolders(RootContract):
    corpus = "mine"
    names = ("anna/angry/1.wav", "anna/sad/2.wav", "ben/angry/3.flac", "ben/sad/4.wav")
    emotions = ("angry", "sad")


class TestManifest(RootContract):
    corpus = "mine"
    names = ("one.wav", "two/three.wav", "ähnlich.wav")
    emotions = ("angry", "bored", "")

    def tables(self, root: Path) -> None:
        rows = zip(self.names, ("angry", "bored", ""), strict=True)
        lines = ["file,emotion", *(",".join(row) for row in rows)]
        (root / "manifest.csv").write_text("\n".join(lines), encoding="utf-8")
