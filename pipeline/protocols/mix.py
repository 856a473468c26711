"""The paper's own question: six corpora learnt from, MELD's official test answered.

Gen-SER (section 3.1) learns from EmoDB, RAVDESS, TESS, SAVEE, CREMA-D and MELD's train part, and is
tested on MELD's test part (Table 1). The paper does not say what it does with calm (RAVDESS) and
boredom (EmoDB), which are no classes of MELD: here they are left out, and counted. MELD's dev part
is the development part.
"""

import numpy as np

from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import known_to, need_corpora
from gensr.pipeline.protocols.official import official
from gensr.pipeline.protocols.splits import Splits, Table
from gensr.pipeline.protocols.splitter import Prepared, Splitter, Values, only

CORPORA = ("cremad", "emodb", "meld", "ravdess", "savee", "tess")
NAME = "paper-mix"


def fits(corpora: tuple[str, ...]) -> bool:
    """Whether MELD is there, another of the six, and nothing else."""
    return "meld" in corpora and len(corpora) > 1 and set(corpora) <= set(CORPORA)


def _split(table: Table, seed: int) -> Splits:
    """MELD by its split, whatever the others name; they are learnt from whole."""
    meld = table["corpus"] == "meld"
    return official({**table, "split": np.where(meld, table["split"], "")}, seed)


def _prepare(table: Table, column: str, values: Values) -> Prepared:
    corpora = sorted(set(table["corpus"].tolist()))
    need_corpora(corpora, ["meld"], NAME)
    if strange := sorted(set(corpora) - set(CORPORA)):
        raise ProtocolError(
            f"protocol {NAME} is for {', '.join(CORPORA)}; there are clips of {strange[0]}; leave "
            "its store out, or pass --protocol official, by which it is learnt from too"
        )
    if column == "emotion":
        raise ProtocolError(
            f"protocol {NAME} learns from six corpora, whose labels meet in canonical words alone; "
            "drop --labels native"
        )
    meld = np.asarray(table["corpus"]) == "meld"
    return known_to(values, meld, ~meld, "meld")


def _said(table: Table, folds: Splits) -> list[str]:
    there = set(table["corpus"].tolist())
    absent = [name for name in CORPORA if name not in there]
    meld = set(table["split"][table["corpus"] == "meld"].tolist())
    said = [f"not the whole mix: no clips of {', '.join(absent)}"] if absent else []
    if "train" not in meld:
        said.append("not the whole mix: none of MELD's clips is of its train part")
    return said


MIX = only(
    Splitter(
        split=_split,
        groups=("dialogue",),
        tests=("meld",),
        official=True,
        fixed=True,
        words="canonical",
        prepare=_prepare,
        said=_said,
    )
)
