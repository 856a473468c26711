"""Shortcuts: how well the label follows from one column alone, without a word of speech.

Where twelve of fifteen sentences of an emotion are that emotion's alone (SAVEE), a model that
knows texts again looks as if it heard emotions. So each column is learnt by itself on every fold's
training part (dev included) and scored on its test part, beside the majority baseline.

Two learners, both as plain as can be:

- of names (sentence, speaker, ...): the commonest label of that value in the training part, of
  equally common ones that which is commoner over all; a value that was never trained on, or is
  unknown, gets the training part's commonest label.
- of numbers (seconds, level_db): the same over quantile bins of the training part. How many bins
  (`BINS`) is chosen on the training part: learnt on every other of its clusters and answered on
  the rest, and the reverse; of equally good numbers the smallest.

A column is flagged where it beats the majority baseline by more than `MARGIN`, and its 95 %
interval over clusters lies above the baseline (below four clusters there is no interval: then the
margin alone counts).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.intervals import interval
from gensr.estimator.metrics import accuracy
from gensr.pipeline.lint.findings import WARNING, Finding, Shortcut
from gensr.pipeline.protocols.protocol import Fold, Protocol, Rows

NAMES = ("sentence", "speaker", "dialogue", "gender", "corpus", "sample_rate")
"""Columns that are learnt value by value."""
NUMBERS = ("seconds", "level_db")
"""Columns that are learnt by bins."""
MARGIN = 0.05
"""Accuracy above the majority baseline that is flagged. Ours: a gain that papers report."""
BINS = (1, 2, 4, 8, 16, 32)
"""Numbers of quantile bins to choose from."""
_COARSER = {"speaker": ("gender", "corpus"), "corpus": ("sample_rate",)}
"""Columns that say no more of a clip than the label itself does, by label."""
_UNKNOWN = -1

_WAYS_OUT = {
    "sentence": "--protocol {sentence} keeps sentences apart",
    "speaker": "--protocol loso or speaker-kfold keeps speakers apart",
    "dialogue": "--protocol official or column:NAME keeps dialogues apart",
    "corpus": "--protocol leave-one-corpus-out keeps corpora apart; and tell every corpus's number",
    "sample_rate": "keep what was recorded alike on both sides, and tell the number of each rate",
}
_NO_WAY_OUT = "no split removes that: tell it beside every result"


def shortcuts(protocol: Protocol) -> tuple[Shortcut, ...]:
    """Every column that is known, by itself, in the order of `NAMES` and `NUMBERS`.

    Args:
        protocol: with the columns of its clips; one that tests nothing has no shortcuts.
    """
    if not any(len(fold.test) for fold in protocol.folds):
        return ()
    skipped = (protocol.label, *_COARSER.get(protocol.label, ()))
    found = []
    for column in (*NAMES, *NUMBERS):
        texts = protocol.columns.get(column)
        if texts is None or column in skipped or len(set(texts) - {""}) < 2:
            continue
        values = _numbers(texts) if column in NUMBERS else _codes(texts)
        found.append(_shortcut(protocol, column, values, len(set(texts) - {""})))
    return tuple(found)


def flags(protocol: Protocol, found: Sequence[Shortcut]) -> Iterator[Finding]:
    """What is to be said of those that are flagged."""
    sentence = "savee-strict" if protocol.corpora == ("savee",) else "sentence-holdout"
    for one in found:
        if not one.flagged:
            continue
        span = ""
        if one.interval:
            span = f" [{100 * one.interval[0]:.1f}, {100 * one.interval[1]:.1f}]"
        way = _WAYS_OUT.get(one.column, _NO_WAY_OUT).format(sentence=sentence)
        yield Finding(
            kind="shortcut",
            weight=WARNING,
            line=f"shortcut: {one.column} alone tells {protocol.label} in {100 * one.accuracy:.1f}"
            f"{span} % of {one.n} tested clips, the majority class {100 * one.majority:.1f} %: "
            f"{way}",
            count=round(one.accuracy * one.n),
            of=one.n,
        )


def _shortcut(
    protocol: Protocol, column: str, values: NDArray[np.float64], distinct: int
) -> Shortcut:
    y, clusters = protocol.labels, np.unique(protocol.clusters, return_inverse=True)[1]
    answers = np.full(len(y), _UNKNOWN, np.int64)
    for fold in protocol.folds:
        if not len(fold.test):
            continue
        if column in NUMBERS:
            answers[fold.test] = _by_bins(values, y, clusters, fold)
        else:
            codes = np.nan_to_num(values, nan=_UNKNOWN).astype(np.int64)
            answers[fold.test] = by_value(codes[fold.learn], y[fold.learn], codes[fold.test])
    tested = np.concatenate([fold.test for fold in protocol.folds])
    right = answers[tested] == y[tested]
    span = _interval(right, clusters[tested])
    majority = float(np.bincount(y[tested]).max() / len(tested))
    value = float(right.mean())
    return Shortcut(
        column=column,
        accuracy=value,
        interval=span,
        majority=majority,
        n=len(tested),
        known=int(_is_known(values[tested]).sum()),
        values=distinct,
        flagged=value - majority > MARGIN and (span is None or span[0] > majority),
    )


def by_value(codes: Rows, y: Rows, asked: Rows) -> Rows:
    """The commonest label of each value.

    Args:
        codes: values of the clips to learn from, from 0; -1: unknown.
        y: their labels.
        asked: values to answer for.

    >>> by_value(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 1]), np.array([0, 1, 9, -1])).tolist()
    [1, 0, 1, 1]
    """
    C = int(y.max()) + 1
    prior = np.bincount(y, minlength=C)
    commonest = int(prior.argmax())
    known = codes != _UNKNOWN
    pairs, counts = np.unique(codes[known] * C + y[known], return_counts=True)
    value, label = np.divmod(pairs, C)
    order = np.lexsort((-label, prior[label], counts, value))
    value, label = value[order], label[order]
    last = np.append(value[1:] != value[:-1], True) if len(value) else np.zeros(0, bool)
    top = int(max(codes.max(initial=0), asked.max(initial=0))) + 1
    answer = np.full(top + 1, commonest, np.int64)  # the last one is for what is unknown
    answer[value[last]] = label[last]
    return answer[asked]


def _by_bins(values: NDArray[np.float64], y: Rows, clusters: Rows, fold: Fold) -> Rows:
    """Answers for a fold's test part, from as many bins as serve best within its training part."""
    learn = fold.learn
    halves = _halves(clusters[learn])
    best, most = BINS[0], -1
    for count in BINS:
        right = 0
        for half in (halves, ~halves):
            mine, others = learn[half], learn[~half]
            if len(mine) and len(others):
                right += int((_binned(values, y, mine, others, count) == y[others]).sum())
        if right > most:
            best, most = count, right
    return _binned(values, y, learn, fold.test, best)


def _binned(values: NDArray[np.float64], y: Rows, learn: Rows, asked: Rows, count: int) -> Rows:
    known = values[learn][_is_known(values[learn])]
    edges = np.quantile(known, np.arange(1, count) / count) if len(known) else np.zeros(0)

    def codes(rows: Rows) -> Rows:
        bins = np.searchsorted(np.unique(edges), values[rows], side="right")
        return np.where(_is_known(values[rows]), bins, _UNKNOWN).astype(np.int64)

    return by_value(codes(learn), y[learn], codes(asked))


def _halves(clusters: Rows) -> NDArray[np.bool_]:
    """Every other cluster; every other clip where there is one cluster alone."""
    rank = np.unique(clusters, return_inverse=True)[1]
    order = np.arange(len(rank)) if rank.max(initial=0) == 0 else rank
    return np.asarray(order % 2 == 0, np.bool_)


def _interval(right: NDArray[np.bool_], clusters: Rows) -> tuple[float, float] | None:
    """Over clusters, from one matrix each of clips right and wrong: accuracy needs no more."""
    index = np.unique(clusters, return_inverse=True)[1]
    matrices = np.zeros((int(index.max()) + 1, 2, 2))  # (S, 2, 2)
    np.add.at(matrices, (index, np.zeros_like(index), np.where(right, 0, 1)), 1)
    return interval(accuracy, matrices)


def _codes(texts: Sequence[str]) -> NDArray[np.float64]:
    codes = np.unique(np.asarray(texts, str), return_inverse=True)[1].astype(np.float64)
    return np.where(np.asarray(texts, str) == "", np.nan, codes)


def _numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    """Numbers, nan where there is none: a column of that name may be somebody's own."""

    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return float("nan")

    return np.array([number(text) for text in texts])


def _is_known(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ~np.isnan(values)
