"""The acted corpora's own folds, on their whole official lists of names."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from gensr.features.corpora import cremad, savee
from gensr.features.corpora.clip import Clip
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import grid, table


def of(clips: list[Clip]) -> Table:
    columns = ("path", "corpus", "speaker", "gender", "sentence", "emotion", "canonical")
    return table([{name: getattr(clip, name) for name in columns} for clip in clips])


@pytest.fixture(scope="module")
def all_of_savee() -> Table:
    names = [
        f"{speaker}/{code}{number:02d}.wav"
        for speaker, code in product(savee.SPEAKERS, savee.EMOTIONS)
        for number in range(1, 31 if code == "n" else 16)
    ]
    return of([clip for name in names if (clip := savee.read(name))])


def test_savee_strict_keeps_speakers_and_sentences_apart(all_of_savee: Table) -> None:
    protocol = make_protocol(all_of_savee)
    assert (protocol.name, protocol.disjoint) == ("savee-strict", ("speaker", "sentence"))
    assert (protocol.overlaps["speaker"], protocol.overlaps["sentence"]) == (0, 0)
    assert len(protocol.folds) == 4 * 5
    assert sum(len(fold.test) for fold in protocol.folds) == 480
    for fold in protocol.folds:
        assert set(protocol.labels[fold.learn]) == set(range(7))  # every emotion is learnt
        assert 0.7 * 360 < len(fold.learn) < 0.9 * 360  # four fifths of the others' clips
        sentences = [
            {all_of_savee["sentence"][row] for row in part} for part in (fold.train, fold.dev)
        ]
        assert not sentences[0] & sentences[1]
        assert sentences[1]


def test_savee_strict_says_what_it_cannot_use(all_of_savee: Table) -> None:
    protocol = make_protocol(all_of_savee)
    unused = {480 - len(fold.learn) - len(fold.test) for fold in protocol.folds}
    said = f"each fold leaves {min(unused)} to {max(unused)} of 480 clips unused"
    assert protocol.notes()[0].startswith(said)
    assert "unused" in protocol.describe()["said"][0]


def test_savee_by_speaker_alone_says_that_the_text_gives_the_label_away(
    all_of_savee: Table,
) -> None:
    protocol = make_protocol(all_of_savee, name="savee-loso")
    assert len(protocol.folds) == 4
    assert "the text gives the label away" in protocol.notes()[0]
    assert "savee-strict" in protocol.notes()[0]
    assert protocol.overlaps["sentence"] == 480


def test_savee_of_one_sentence_has_none_to_keep_apart() -> None:
    with pytest.raises(ProtocolError, match=r"only one sentence.*--protocol savee-loso"):
        make_protocol(grid("savee", ["DC", "JE"], sentences=1))


def test_cremad_has_five_folds_of_actors_whatever_the_seed(corpora: Path) -> None:
    names = (corpora / "crema-d/AudioWAV-filenames.txt").read_text().split()
    clips = [cremad.read(name) for name in names]
    every = of([clip for clip in clips if isinstance(clip, Clip)])
    protocol = make_protocol(every)
    assert (protocol.name, protocol.cluster) == ("cremad-5fold", "speaker")
    assert [len(fold.test) for fold in protocol.folds] == [1557, 1475, 1470, 1464, 1476]
    assert protocol.overlaps["speaker"] == 0
    assert make_protocol(every, seed=3).assignment() == protocol.assignment()


def test_cremad_knows_its_actors() -> None:
    with pytest.raises(ProtocolError, match=r"splits actors 1001 to 1091; .* 'anna'"):
        make_protocol(grid("cremad", ["1001", "anna"]))


def test_tess_needs_both_halves_to_hold_words() -> None:
    protocol = make_protocol(grid("tess", ["OAF", "YAF"], sentences=10))
    tested = np.concatenate([fold.test for fold in protocol.folds])
    assert sorted(tested.tolist()) == list(range(60))
