"""EmoBox's folds, read from a user's own clone and run as they are: `emobox:FOLDER`.

Ma et al., "EmoBox: Multilingual multi-corpus speech emotion recognition toolkit and benchmark",
Interspeech 2024, https://github.com/emo-box/EmoBox. FOLDER is one corpus's, such as
`EmoBox/data/emodb`: `fold_1/emodb_train_fold_1.jsonl` and so on, a line a clip, with `wav` and
`emo`; `label_map.json` beside. Clips are found by file name. Labels are the store's: EmoBox's own
are held against them, whatever their case (its map of EmoDB says `Neutral`, its clips `neutral`).

Many of these folds have the same speakers on both sides. That is said with its share, beside it
the protocol that keeps them apart; nothing is mended, so that published numbers can be met.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath

import numpy as np

from gensr.features.audio.segments import file_of
from gensr.features.corpora.labels import canonical
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.splits import Division, Splits, Table
from gensr.pipeline.protocols.splitter import Family, Splitter

APART: Mapping[str, str] = {
    "emodb": "emodb-loso",
    "cremad": "cremad-5fold",
    "tess": "tess-loso",
    "savee": "savee-strict",
    "ravdess": "ravdess-6fold",
    "iemocap": "iemocap-4-session",
}
"""By corpus, the protocol that keeps speakers apart; `loso` of others."""
_FILE = re.compile(r"(?P<data>.+)_(?P<part>train|valid|val|dev|test)_fold_(?P<fold>\d+)\.jsonl")
_DEPTHS = tuple(sorted(product((1, 2, 3), repeat=2), key=sum))
"""How many of the last parts of a path name a clip: the store's, and EmoBox's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """What a folder of EmoBox says."""

    data: str
    """The corpus, as its files are called."""
    parts: Mapping[int, Mapping[str, tuple[str, ...]]]
    """By fold and part (train, dev, test) the paths of the clips, as written there."""
    emotions: Mapping[str, str]
    """By path the label there, in canonical words; empty where there is none."""
    every: tuple[str, ...]
    """The clips of the whole corpus, where EmoBox lists them; else those of the folds."""


def read(folder: Path) -> Folds:
    """Read the folds of one corpus.

    Raises:
        ProtocolError: there are none, or a file cannot be read; it is named with its line.
    """
    files = sorted(folder.glob("fold_*/*.jsonl")) if folder.is_dir() else []
    named = [(match, file) for file in files if (match := _FILE.fullmatch(file.name))]
    if not named:
        raise ProtocolError(
            f"emobox:{folder}: no folds there; expected one corpus's folder in a clone of EmoBox, "
            "such as EmoBox/data/emodb, with fold_1/emodb_train_fold_1.jsonl in it"
        )
    if len(names := sorted({match["data"] for match, _ in named})) > 1:
        raise ProtocolError(f"emobox:{folder}: folds of two corpora, {names[0]} and {names[1]}")
    words = _words(folder / "label_map.json")
    parts: dict[int, dict[str, tuple[str, ...]]] = {}
    emotions: dict[str, str] = {}
    for match, file in named:
        rows = _rows(file)
        part = "dev" if match["part"] in ("valid", "val") else match["part"]
        parts.setdefault(int(match["fold"]), {})[part] = tuple(wav for wav, _ in rows)
        emotions |= {wav: canonical(words.get(emo.casefold(), emo)) for wav, emo in rows}
    for fold, sides in parts.items():
        if lacking := sorted({"train", "test"} - set(sides)):
            raise ProtocolError(f"emobox:{folder}: fold {fold} has no {lacking[0]} file")
    whole = folder / f"{names[0]}.jsonl"
    every = tuple(wav for wav, _ in _rows(whole)) if whole.is_file() else tuple(emotions)
    return Folds(data=names[0], parts=dict(sorted(parts.items())), emotions=emotions, every=every)


def _rows(file: Path) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if not all(isinstance(row[key], str) for key in ("wav", "emo")):
                raise TypeError("wav and emo must be texts")
            found.append((row["wav"], row["emo"]))
    except OSError as error:
        raise ProtocolError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ProtocolError(
            f"{file}, line {len(found) + 1}: expected an object with wav and emo ({error})"
        ) from error
    return found


def _words(file: Path) -> Mapping[str, str]:
    """EmoBox's word for each label; case does not matter."""
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return {str(key).casefold(): str(word) for key, word in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise ProtocolError(f"{file}: expected an object of labels ({error})") from error


def matched(paths: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """EmoBox's names, each with the row of the clip of that file name, where there is one.

    Args:
        paths: of the clips here.
        names: as EmoBox has them. A name alone serves where it is one clip's on either side; else
            the folders above it count too: SAVEE's `DC/a01` is `DC_a01` elsewhere.
    """
    best: dict[str, int] = {}
    for here, there in _DEPTHS:
        mine = [_key(path, here) for path in paths]
        theirs = [_key(name, there) for name in names]
        if len(set(mine)) < len(mine) or len(set(theirs)) < len(theirs):
            continue
        rows = {key: row for row, key in enumerate(mine)}
        found = {name: rows[key] for name, key in zip(names, theirs, strict=True) if key in rows}
        if len(found) > len(best):
            best = found
    return best


def _key(path: str, depth: int) -> str:
    parts = PurePosixPath(file_of(path.rpartition(":")[2])).with_suffix("").parts
    return "_".join(parts[-depth:]).casefold()


def _family(argument: str) -> Splitter:
    folds = read(Path(argument).expanduser())

    def split(table: Table, seed: int) -> Splits:
        corpora = sorted(set(table["corpus"].tolist()))
        if len(corpora) > 1:
            raise ProtocolError(
                f"EmoBox's folds are of one corpus, the clips of {', '.join(corpora)}; give the "
                f"store of {folds.data} alone"
            )
        return _divisions(folds, table)

    return Splitter(
        split=split,
        dev=("audio_sha256",),
        said=lambda table, divisions: _said(folds, table, divisions),
        idle="in no fold of EmoBox",
        name=f"emobox:{folds.data}",
        outside=True,
        as_is=True,
    )


def _divisions(folds: Folds, table: Table) -> Splits:
    names = list(folds.emotions)
    row_of = matched(table["path"].tolist(), names)
    if not row_of:
        raise ProtocolError(
            f"no clip here has the name of one of EmoBox's {folds.data} (such as {names[0]})"
        )
    divisions: Splits = []
    tested: set[int] = set()
    for fold, parts in folds.parts.items():
        sides = {
            part: {row_of[name] for name in names if name in row_of}
            for part, names in parts.items()
        }
        learn = sides["train"] | sides.get("dev", set())
        if twice := sorted((learn | tested) & sides["test"]):
            where = "both sides of one fold" if learn & sides["test"] else "the tests of two folds"
            raise ProtocolError(
                f"EmoBox's {folds.data}, fold {fold}: {table['path'][twice[0]]} is on {where}"
            )
        tested |= sides["test"]
        rows = {part: np.array(sorted(side), np.int64) for part, side in sides.items()}
        divisions.append(
            Division(
                held_out=f"fold {fold} of EmoBox",
                learn=np.array(sorted(learn), np.int64),
                test=rows["test"],
                dev=rows.get("dev"),
            )
        )
    return divisions


def _said(folds: Folds, table: Table, divisions: Splits) -> list[str]:
    said = []
    row_of = matched(table["path"].tolist(), list(folds.emotions))
    if missing := sorted(set(folds.emotions) - set(row_of)):
        tests = {name for parts in folds.parts.values() for name in parts["test"]}
        said.append(
            f"not the whole of EmoBox's folds: {len(missing)} of {len(folds.emotions)} clips are "
            f"not here or have no label ({len(tests & set(missing))} of {len(tests)} to test; "
            f"first {PurePosixPath(missing[0]).name})"
        )
    untested = len(set(folds.every) - {n for parts in folds.parts.values() for n in parts["test"]})
    if untested:
        said.append(
            f"{untested} of EmoBox's {len(folds.every)} clips are tested in none of its folds "
            f"here ({', '.join(map(str, folds.parts))})"
        )
    if other := _otherwise(folds, table, row_of):
        said.append(other)
    speaker = table["speaker"]
    shared = sum(
        int((np.isin(speaker[d.test], speaker[d.learn]) & (speaker[d.test] != "")).sum())
        for d in divisions
    )
    if shared:
        share = 100 * shared / sum(len(division.test) for division in divisions)
        strict = APART.get(folds.data, "loso")
        said.append(
            f"EmoBox's folds as they are: {share:.0f} % of the tested clips are by speakers that "
            f"were learnt from; put the number of --protocol {strict} beside, which keeps "
            "speakers apart"
        )
    return said


def _otherwise(folds: Folds, table: Table, row_of: Mapping[str, int]) -> str:
    """Where EmoBox has other labels than the corpus's own, in a line."""
    pairs = Counter(
        (folds.emotions[name], str(table["canonical"][row]))
        for name, row in row_of.items()
        if folds.emotions[name] and table["canonical"][row]
    )
    other = {pair: count for pair, count in pairs.items() if pair[0] != pair[1]}
    if not other:
        return ""
    told = ", ".join(f"{theirs} there, {ours} here: {n}" for (theirs, ours), n in other.items())
    return f"{sum(other.values())} clips have another label in EmoBox ({told}); ours count"


EMOBOX = Family(of=_family, argument="FOLDER")
