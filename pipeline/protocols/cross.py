"""From some corpora to others: what is left of a number when room, microphone and actors change.

    cross-corpus:ravdess:emodb          learn from RAVDESS, test EmoDB
    cross-corpus:ravdess+tess:emodb     learn from two
    leave-one-corpus-out                each corpus tested once, by a model of all others

Labels are canonical words unless native ones are asked for; classes are those that both sides
have, and what only one side has is left out and counted.
"""

import numpy as np

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import joined, known_to, need_corpora, without
from gensr.pipeline.protocols.splits import Division, Splits, Table, held, rows
from gensr.pipeline.protocols.splitter import Family, Prepared, Splitter, Values, only

NAME = "cross-corpus"


def _sides(argument: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    sides = [tuple(sorted(filter(None, side.split("+")))) for side in argument.split(":")]
    if len(sides) != 2 or not all(sides):
        raise ProtocolError(
            f"{NAME}:{argument}: expected corpora to learn from and corpora to test, such as "
            f"{NAME}:ravdess+tess:emodb"
        )
    learn, test = sides
    if both := sorted(set(learn) & set(test)):
        raise ProtocolError(f"{NAME}:{argument}: {both[0]} is on both sides")
    return learn, test


def _cross(argument: str) -> Splitter:
    learn, test = _sides(argument)
    name = f"{NAME}:{'+'.join(learn)}:{'+'.join(test)}"

    def split(table: Table, seed: int) -> Splits:
        corpus = table["corpus"]
        return [
            Division(
                held_out=f"corpus {', '.join(test)}",
                learn=rows(np.isin(corpus, learn)),
                test=rows(np.isin(corpus, test)),
            )
        ]

    def prepare(table: Table, column: str, values: Values) -> Prepared:
        corpus = np.asarray(table["corpus"])
        need_corpora(set(corpus.tolist()), {*learn, *test}, name)
        learnt, tested = np.isin(corpus, learn), np.isin(corpus, test)
        idle = ~(learnt | tested)
        left: dict[str, int] = {}
        if count := int((idle & (values != "")).sum()):
            left = {"of a corpus that is neither learnt from nor tested": count}
        values = np.where(idle, "", values)
        ours, unknown = known_to(values, tested, learnt, ", ".join(test))
        ours, untaught = known_to(ours, learnt, tested, ", ".join(learn))
        if not (ours != "").any():
            raise ProtocolError(
                f"{', '.join(learn)} and {', '.join(test)} have no label in common; "
                "pass --labels canonical, or another --label"
            )
        return ours, joined(left, joined(unknown, untaught))

    return Splitter(
        split=split,
        groups=("corpus",),
        tests=test,
        dev=("speaker",),
        words="canonical",
        prepare=prepare,
        name=name,
    )


def leave_one_corpus_out(table: Table, seed: int) -> Splits:
    """Each corpus once."""
    corpus = table["corpus"]
    return [held(f"corpus {name}", corpus == name) for name in sorted(set(corpus.tolist()))]


def _shared(table: Table, column: str, values: Values) -> Prepared:
    """A label that one corpus alone has is either never learnt or never tested."""
    corpora = sorted(set(table["corpus"].tolist()))
    if len(corpora) < 2:
        raise ProtocolError(
            f"only one corpus ({corpora[0]}): nothing to leave out; give another store too, or "
            "drop --protocol"
        )
    having: dict[str, set[str]] = {}
    for label, corpus in zip(values.tolist(), table["corpus"].tolist(), strict=True):
        having.setdefault(label, set()).add(corpus)
    lone = sorted(label for label, corpora in having.items() if len(corpora) < 2)
    return without(values, np.isin(values, lone), "labelled {}, which one corpus alone has")


CROSS = Family(of=_cross, argument="TRAIN+...:TEST")
EACH = only(
    Splitter(
        split=leave_one_corpus_out,
        groups=("corpus",),
        dev=("speaker",),
        words="canonical",
        prepare=_shared,
    )
)
