"""From divisions to folds, and what is said of them: development parts, clusters, roles.

The development part of a fold is the named one, or taken from the fold's training part by the
same kind of group, so that choices are made under the conditions of the test.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.protocol import Fold, Rows
from gensr.pipeline.protocols.splits import DEV_SHARE, Splits, Table, share_of
from gensr.pipeline.protocols.splitter import Splitter


def divided(name: str, splitter: Splitter, table: Table, seed: int) -> Splits:
    """The folds as the splitter has them."""
    of_tested = np.isin(table["corpus"], splitter.tests) if splitter.tests else slice(None)
    for column in (*splitter.groups, *filter(None, [splitter.cluster])):
        if column not in table and column != "clip":
            raise ProtocolError(
                f"protocol {name} asks for a column {column!r}; the clips have {', '.join(table)}"
            )
    for column in splitter.groups:
        values = table[column][of_tested]
        missing = int((values == "").sum())
        if missing:
            raise ProtocolError(
                f"{missing} of {len(values)} clips have no {column}, which protocol {name} "
                "keeps apart; fill them in, empty those clips' labels to leave them out, or pass "
                "--protocol random-holdout to split by clip instead"
            )
    return splitter.split(table, seed)


def folds_of(splitter: Splitter, table: Table, divisions: Splits, seed: int) -> tuple[Fold, ...]:
    """The same with development parts, counted from 1."""
    folds = []
    for number, division in enumerate(divisions, 1):
        dev = division.dev
        if dev is None or not (len(dev) or splitter.fixed):
            dev = _drawn_dev(table, splitter, division.learn, f"dev/{seed}/{number}")
        train = np.setdiff1d(division.learn, dev)
        folds.append(
            Fold(
                name=str(number),
                held_out=division.held_out,
                train=train,
                dev=dev,
                test=division.test,
            )
        )
    return tuple(folds)


def deployed(splitter: Splitter, table: Table, seed: int) -> tuple[Fold, ...]:
    """One fold that learns from everything, the official development part its own."""
    everything = np.arange(len(table["path"]))
    dev = everything[table["split"] == "dev"] if splitter.official else everything[:0]
    if not len(dev) and not (splitter.official and splitter.fixed):
        dev = _drawn_dev(table, splitter, everything, f"dev/{seed}/0")
    train = np.setdiff1d(everything, dev)
    return (Fold(name="all", held_out="nothing", train=train, dev=dev, test=dev[:0]),)


def _drawn_dev(table: Table, splitter: Splitter, learn: Rows, salt: str) -> Rows:
    """Clips for choices: whole groups drawn from the training part.

    A column serves where at least half of these clips have a value, three different ones: clips
    without one are of no group that could be held out, and stay in training.
    """
    ways = splitter.groups if splitter.dev is None else splitter.dev
    ways = (*ways, *(("speaker",) if splitter.official else ()))
    part = {name: np.asarray(values)[learn] for name, values in table.items()}
    for column in (*ways, "sentence", "audio_sha256", "path"):
        values = part.get(column, np.zeros(0, str))
        known = values[values != ""]
        if len(set(known.tolist())) >= 3 and 2 * len(known) >= len(learn):
            return learn[np.isin(values, share_of(part, column, DEV_SHARE, salt))]
    return learn[:0]


def tested(folds: Sequence[Fold]) -> Rows:
    """Every clip that some fold tests."""
    return np.concatenate([fold.test for fold in folds]) if folds else np.zeros(0, np.int64)


def outside(table: Table, folds: Sequence[Fold]) -> int:
    """How many clips are in no fold."""
    used = np.zeros(len(table["path"]), bool)
    for fold in folds:
        used[fold.learn] = used[fold.test] = True
    return int((~used).sum())


def cluster_column(
    table: Table, splitter: Splitter, folds: Sequence[Fold], *, of_tested: bool
) -> str:
    """What intervals run over: a column that every clip names, or every tested one.

    Raises:
        ProtocolError: it is asked for, and some tested clips do not name it.
    """
    rows = tested(folds) if of_tested or splitter.cluster else np.arange(len(table["path"]))
    if splitter.cluster:
        if splitter.cluster != "clip" and not all(table[splitter.cluster][rows] != ""):
            raise ProtocolError(
                f"intervals are asked for over the {splitter.cluster}, which some tested clips do "
                "not name"
            )
        return splitter.cluster
    ways: tuple[str, ...] = (*splitter.groups, "speaker")
    for column in (*ways, "dialogue") if splitter.official else ways:
        if column in ("speaker", "dialogue") and all(table[column][rows] != ""):
            return column
    return "clip"


def clusters(table: Table, column: str) -> tuple[str, ...]:
    """The cluster of every clip; of one that is never tested its path, where it is not known."""
    values = table["path" if column == "clip" else column].tolist()
    return tuple(value or path for value, path in zip(values, table["path"].tolist(), strict=True))


def roles(table: Table, folds: Sequence[Fold]) -> dict[str, str]:
    """What each corpus is for, over all folds."""
    learnt = {name for fold in folds for name in table["corpus"][fold.learn].tolist()}
    tested = {name for fold in folds for name in table["corpus"][fold.test].tolist()}
    said = {
        name: " and ".join(
            word for word, those in (("learnt from", learnt), ("tested", tested)) if name in those
        )
        for name in sorted(set(table["corpus"].tolist()))
    }
    return {name: word or "in no fold" for name, word in said.items()}


def parts(table: Table, folds: Sequence[Fold]) -> str:
    """Hash of who is on which side, for folds that no name tells."""
    digest = hashlib.sha256()
    for fold in folds:
        for part, side in (("learn", fold.learn), ("dev", fold.dev), ("test", fold.test)):
            for path in sorted(table["path"][side].tolist()):
                digest.update(f"{fold.name}/{part}/{path}\0".encode())
    return digest.hexdigest()[:16]


def split_unused(table: Table, splitter: Splitter, *, deploy: bool) -> dict[str, int]:
    """Clips per part of a split that they name, where it is not followed."""
    named = Counter(table["split"].tolist())
    followed = (splitter.official and not deploy) or not {"train", "test"} <= set(named)
    return {} if followed else dict(named)


def test_learnt(table: Table, folds: Sequence[Fold]) -> dict[str, int]:
    """Clips per corpus that say they are its official test, and are learnt from in some fold."""
    learnt = np.zeros(len(table["path"]), bool)
    for fold in folds:
        learnt[fold.learn] = True
    gone = learnt & (table["split"] == "test")
    return dict(sorted(Counter(table["corpus"][gone].tolist()).items()))
