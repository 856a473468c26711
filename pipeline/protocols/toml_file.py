"""A user's own question in a small TOML file: `--protocol FILE.toml`.

    name = "women-4"
    train = ["ravdess"]                 # corpora to learn from; default: all
    test = ["emodb"]                    # corpora to test; default: all
    label = "emotion"                   # or gender, or any column
    labels = "canonical"                # or native: in whose words emotions are
    merge = { calm = "neutral" }        # a label, and what it counts as
    drop = ["boredom"]                  # labels to leave out
    classes = ["anger", "neutral"]      # or: those to keep, after merging
    apart = ["speaker"]                 # columns kept apart, and checked
    intervals = "speaker"               # what intervals run over: a column, or clip

    [folds]                             # needed where a corpus is on both sides
    column = "fold"                     # each value tested once, or train, dev, test
    # speakers = { 1 = ["03", "08"], 2 = ["09", "10"] }

Only `name` is required. What such a file leaves out is counted by label, as everywhere.
"""

import re
import tomllib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gensr.pipeline.protocols.column import by_column
from gensr.pipeline.protocols.errors import ProtocolError
from gensr.pipeline.protocols.labels import joined, known_to, merged, without
from gensr.pipeline.protocols.splits import Division, Splits, Table, listed, rows
from gensr.pipeline.protocols.splitter import Prepared, Splitter, Values

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")
_KEYS = ("name", "train", "test", "label", "labels", "merge", "drop", "classes", "apart",
         "intervals", "folds")  # fmt: skip


class _File:
    """The text of a file, to say where in it something is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
            self.keys: Mapping[str, Any] = tomllib.loads(self.text)
        except OSError as error:
            raise ProtocolError(f"{path}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ProtocolError(f"{path}: is no TOML: {error}") from error

    def wrong(self, key: str, said: str) -> ProtocolError:
        """An error that names the key, and its line where it is found."""
        last = key.rpartition(".")[2]
        lines = enumerate(self.text.splitlines(), 1)
        pattern = re.compile(rf'\s*(\[.*)?(["\']?){re.escape(last)}\2\s*(=|\])')
        line = next((number for number, text in lines if pattern.match(text)), None)
        where = f"{self.path}, line {line}" if line else str(self.path)
        return ProtocolError(f"{where}: {key} {said}")

    def text_of(self, key: str, default: str = "") -> str:
        """A text."""
        value = self.keys.get(key, default)
        if not isinstance(value, str) or (key in self.keys and not value):
            raise self.wrong(key, f"must be a text, found {value!r}")
        return value

    def texts_of(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        return self.texts(key, self.keys.get(key, []))

    def texts(self, key: str, value: Any) -> tuple[str, ...]:
        """The same, of a value that was found."""
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.wrong(key, f"must be a list of texts, found {value!r}")
        if len(set(value)) < len(value):
            raise self.wrong(key, "says one name twice")
        return tuple(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a file says."""

    file: _File
    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    merge: Mapping[str, str]
    drop: tuple[str, ...]
    classes: tuple[str, ...]
    column: str = ""
    speakers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def sides(self, table: Table) -> tuple[Any, Any]:
        """Which clips may be learnt from, which may be tested."""
        corpus = np.asarray(table["corpus"])
        everything = np.ones(len(corpus), bool)
        learn = np.isin(corpus, self.train) if self.train else everything
        return learn, np.isin(corpus, self.test) if self.test else everything


def read(path: Path, *, taken: Container[str] = ()) -> Splitter:
    """The splitter of a file.

    Args:
        path: of the file.
        taken: names that its question may not have: another's.

    Raises:
        ProtocolError: it cannot be read, or a key is wrong; the message names the line.
    """
    file = _File(path)
    if unknown := sorted(set(file.keys) - set(_KEYS)):
        raise file.wrong(unknown[0], f"is no key; there are {', '.join(_KEYS)}")
    name = file.text_of("name")
    if not _NAME.fullmatch(name):
        raise file.wrong("name", "must be letters, digits, and . _ + -, and is required")
    if name in taken:
        said = f"is {name!r}, which is another question's; choose one of your own"
        raise file.wrong("name", said)
    column, speakers = _folds(file)
    asked = _Asked(
        file=file,
        name=name,
        train=file.texts_of("train"),
        test=file.texts_of("test"),
        merge=_merge(file),
        drop=file.texts_of("drop"),
        classes=file.texts_of("classes"),
        column=column,
        speakers=speakers,
    )
    if both := sorted(set(asked.merge) & set(asked.drop)):
        raise file.wrong("drop", f"names {both[0]!r}, which merge counts as {asked.merge[both[0]]}")
    words = file.text_of("labels")
    if words not in ("", "native", "canonical"):
        raise file.wrong("labels", f"must be native or canonical, found {words!r}")
    return Splitter(
        split=lambda table, seed: _split(asked, table),
        groups=file.texts_of("apart"),
        tests=asked.test,
        dev=("speaker",),
        cluster=file.text_of("intervals"),
        label=file.text_of("label"),
        words=words,
        prepare=lambda table, column, values: _prepare(asked, table, values),
        idle="in no fold",
        name=name,
        outside=True,
    )


def _folds(file: _File) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    folds = file.keys.get("folds", {})
    if not isinstance(folds, dict):
        raise file.wrong("folds", "must be a table with column or speakers")
    if "folds" in file.keys and set(folds) not in ({"column"}, {"speakers"}):
        raise file.wrong("folds", f"must have column or speakers, found {', '.join(folds) or '-'}")
    column, speakers = folds.get("column", ""), folds.get("speakers", {})
    if not isinstance(column, str):
        raise file.wrong("folds.column", f"must be a text, found {column!r}")
    if not isinstance(speakers, dict) or ("speakers" in folds and not speakers):
        raise file.wrong("folds.speakers", "must be a table: a fold and its tested speakers")
    told = {fold: file.texts(f"folds.speakers.{fold}", names) for fold, names in speakers.items()}
    every = [name for names in told.values() for name in names]
    if twice := sorted({name for name in every if every.count(name) > 1}):
        raise file.wrong("folds.speakers", f"tests {twice[0]!r} in two folds")
    return column, told


def _merge(file: _File) -> Mapping[str, str]:
    merge = file.keys.get("merge", {})
    if not isinstance(merge, dict) or not all(isinstance(to, str) and to for to in merge.values()):
        raise file.wrong("merge", "must be a table: a label and what it counts as")
    return merge


def _prepare(asked: _Asked, table: Table, values: Values) -> Prepared:
    """Labels merged and dropped; of two sides that share no corpus, those that both know."""
    file, there = asked.file, set(table["corpus"].tolist())
    for key, corpora in (("train", asked.train), ("test", asked.test)):
        if missing := sorted(set(corpora) - there):
            raise file.wrong(
                key, f"names {missing[0]}, of which there are no clips; there are clips of "
                f"{', '.join(sorted(there))}"
            )  # fmt: skip
    learn, test = asked.sides(table)
    idle = ~(learn | test)
    left = {}
    if count := int((idle & (values != "")).sum()):
        left = {"of a corpus that is neither learnt from nor tested": count}
    values = np.where(idle, "", values)
    known = sorted(set(values.tolist()) - {""})
    for key, labels in (("merge", asked.merge), ("drop", asked.drop)):
        if strange := sorted(set(labels) - set(known)):
            raise file.wrong(key, f"names {strange[0]!r}; the labels are {listed(known)}")
    values, dropped = without(values, np.isin(values, asked.drop), "labelled {}, dropped")
    into = {**{label: label for label in known}, **asked.merge}
    if strange := sorted(set(asked.classes) - set(into.values())):
        raise file.wrong("classes", f"names {strange[0]!r}; the labels are {listed(known)}")
    values, others = merged(values, into, asked.classes, "labelled {}, none of the classes")
    left = joined(left, joined(dropped, others))
    if not (learn & test).any():
        values, unknown = known_to(values, test, learn, ", ".join(asked.test))
        values, untaught = known_to(values, learn, test, ", ".join(asked.train))
        left = joined(left, joined(unknown, untaught))
    return values, left


def _split(asked: _Asked, table: Table) -> Splits:
    learn, test = asked.sides(table)
    if asked.column:
        folds = by_column(table, asked.column, f"{asked.file.path}: folds.column")
        folds = [
            Division(
                held_out=fold.held_out,
                learn=fold.learn[learn[fold.learn]],
                test=fold.test[test[fold.test]],
                dev=None if fold.dev is None else fold.dev[learn[fold.dev]],
            )
            for fold in folds
        ]
        return [fold for fold in folds if len(fold.test)]
    if asked.speakers:
        return _by_speakers(asked, table, learn, test)
    if (learn & test).any():
        raise asked.file.wrong(
            "folds", "is missing: a corpus is both learnt from and tested, so say how it is split"
        )
    said = f"corpus {', '.join(asked.test)}"
    return [Division(held_out=said, learn=rows(learn), test=rows(test))]


def _by_speakers(asked: _Asked, table: Table, learn: Any, test: Any) -> Splits:
    """Speakers by their own names, or as `corpus/name` where two corpora have the name."""
    called: dict[str, set[str]] = {}
    for corpus, speaker in zip(table["corpus"].tolist(), table["speaker"].tolist(), strict=True):
        own = speaker.removeprefix(f"{corpus}/")
        for name in {own, speaker, f"{corpus}/{own}"} - {""}:
            called.setdefault(name, set()).add(speaker)
    folds = []
    for fold, names in asked.speakers.items():
        for name in names:
            if len(called.get(name, ())) != 1:
                what = "two corpora have" if name in called else "no clip has"
                raise asked.file.wrong(f"folds.speakers.{fold}", f"{what} a speaker {name!r}")
        whose = sorted({speaker for name in names for speaker in called[name]})
        mine = np.isin(table["speaker"], whose)
        if not (test & mine).any():
            raise asked.file.wrong(
                f"folds.speakers.{fold}", "names speakers of no corpus that is tested"
            )
        folds.append(
            Division(
                held_out=f"speakers {listed(names)}",
                learn=rows(learn & ~mine),
                test=rows(test & mine),
            )
        )
    return folds
