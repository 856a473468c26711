"""The protocols by name. Another family is one file, and one line here.

What a name asks for, what it keeps apart, and whose default it is, stands in docs/evaluation.md,
where a test holds the table against these names.
"""

from pathlib import Path

from gensr.pipeline.protocols import (
    acted,
    column,
    cross,
    emobox,
    iemocap,
    mix,
    msp_podcast,
    official,
    people,
    pieces,
    toml_file,
)
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splitter import Family, Splitter

SPLITTERS: dict[str, Family] = {
    "emodb-loso": acted.EMODB,
    "savee-strict": acted.SAVEE_STRICT,
    "savee-loso": acted.SAVEE,
    "tess-loso": acted.TESS,
    "ravdess-6fold": acted.RAVDESS,
    "cremad-5fold": acted.CREMAD,
    "meld-official": official.MELD,
    "official": official.OFFICIAL,
    "speaker-holdout": people.HOLDOUT,
    "speaker-5fold": people.FIVE,
    "speaker-kfold": people.KFOLD,
    "loso": people.LOSO,
    "sentence-holdout": pieces.SENTENCES,
    "random-holdout": pieces.RANDOM,
    "kfold": pieces.KFOLD,
    "paper-mix": mix.MIX,
    "cross-corpus": cross.CROSS,
    "leave-one-corpus-out": cross.EACH,
    **iemocap.families(),
    **msp_podcast.families(),
    "emobox": emobox.EMOBOX,
    "column": column.COLUMN,
}
"""The families by name; the first for a corpus is its default."""


def splitter_of(asked: str) -> Splitter:
    """The splitter that `--protocol` asks for.

    Args:
        asked: a name, perhaps with an argument after a colon; or a TOML file (`toml_file.py`).

    Raises:
        ProtocolError: there is no such name, or the argument is wrong.
    """
    if asked.endswith(".toml") and asked.partition(":")[0] not in SPLITTERS:
        return toml_file.read(Path(asked).expanduser(), taken=SPLITTERS)
    name, colon, argument = asked.partition(":")
    if name not in SPLITTERS:
        raise ProtocolError(f"no protocol {name!r}; choose one of {', '.join(choices())}")
    return SPLITTERS[name].splitter(name, argument if colon else None)


def choices() -> list[str]:
    """Every name, with its argument; many of one kind as a pattern."""
    settings = iemocap.families()
    named = (family.asked(name) for name, family in SPLITTERS.items() if name not in settings)
    return [*named, "iemocap-{4,5,6}[-improvised]-{session,speaker}", "FILE.toml"]
