"""MSP-Podcast's partitions on a table with its column."""

from itertools import product

import numpy as np
import pytest

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Table
from gensr.pipeline.protocols.splitters import make_protocol
from support.clip_tables import table

PARTS = ("train", "dev", "test1", "test2", "test3")


@pytest.fixture
def clips() -> Table:
    rows = [
        {"corpus": "msp_podcast", "speaker": f"{part}{who}" if who else "", "emotion": emotion,
         "dialogue": f"{part}{who}"}
        for part, who, emotion in product(PARTS, ("", 1, 2), ("anger", "neutral", "other"))
    ]  # fmt: skip
    part = np.array([part for part in PARTS for _ in range(9)])
    split = np.array([{"test1": "test"}.get(p, p if p in ("train", "dev") else "") for p in part])
    return {**table(rows), "split": split, "partition": part}


@pytest.mark.parametrize("test", ["test1", "test2", "test3"])
def test_each_test_has_a_name(clips: Table, test: str) -> None:
    protocol = make_protocol(clips, name=f"msp-podcast-{test}")
    (fold,) = protocol.folds
    part = clips["partition"][protocol.store_rows]
    assert (set(part[fold.train]), set(part[fold.dev]), set(part[fold.test])) == (
        {"train"}, {"dev"}, {test}
    )  # fmt: skip
    assert protocol.left_out == {
        "labelled other, which is no class": 15,
        "in another part of the corpus": 12,
    }
    assert protocol.cluster == "dialogue"  # not every clip names its speaker


def test_the_first_is_the_default(clips: Table) -> None:
    assert make_protocol(clips).name == "msp-podcast-test1"


def test_what_is_not_there_is_said(clips: Table) -> None:
    gone = np.where(clips["partition"] == "test3", "", clips["partition"])
    with pytest.raises(ProtocolError, match="needs clips of train and test3; found dev, test1"):
        make_protocol({**clips, "partition": gone}, name="msp-podcast-test3")
    without = {name: values for name, values in clips.items() if name != "partition"}
    with pytest.raises(ProtocolError, match="need a column partition"):
        make_protocol(without, name="msp-podcast-test1")
