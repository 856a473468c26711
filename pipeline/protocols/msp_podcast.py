"""MSP-Podcast's partitions: `msp-podcast-test1`, `-test2`, `-test3`.

Lotfian and Busso, IEEE Transactions on Affective Computing 10(4), 2019; `Split_Set` in
`labels_consensus.csv` says Train, Development, Test1, Test2 or Test3. Test1 is of speakers apart
from the training part, Test2 of podcasts apart; speakers that are unknown are many, so nothing is
promised, and what is on both sides is said with its share. `O` (other) is no class.
"""

import numpy as np

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import without
from gensr.pipeline.protocols.splits import Division, Splits, Table, rows
from gensr.pipeline.protocols.splitter import Family, Prepared, Splitter, Values, only

TESTS = ("test1", "test2", "test3")


def _parts(table: Table) -> Values:
    if "partition" not in table:
        raise ProtocolError(
            "MSP-Podcast's partitions need a column partition, from Split_Set of "
            "labels_consensus.csv; extract the corpus as it comes"
        )
    return np.asarray(table["partition"])


def _setting(test: str) -> Splitter:
    def split(table: Table, seed: int) -> Splits:
        part = _parts(table)
        if not ((part == test).any() and (part == "train").any()):
            there = ", ".join(sorted(set(part.tolist()) - {""})) or "none"
            raise ProtocolError(
                f"msp-podcast-{test} needs clips of train and {test}; found {there}"
            )
        return [
            Division(
                held_out=test,
                learn=rows(np.isin(part, ["train", "dev"])),
                test=rows(part == test),
                dev=rows(part == "dev"),
            )
        ]

    def prepare(table: Table, column: str, values: Values) -> Prepared:
        emotions = column == "emotion"
        return without(values, emotions & (values == "other"), "labelled {}, which is no class")

    return Splitter(
        corpora=("msp_podcast",), split=split, official=True, fixed=True, prepare=prepare,
        idle="in another part of the corpus",
    )  # fmt: skip


def families() -> dict[str, Family]:
    """Every partition by its name."""
    return {f"msp-podcast-{test}": only(_setting(test)) for test in TESTS}
