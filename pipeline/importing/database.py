"""What an audformat database says of its utterances: labels in several tables, and under labels.

Read here, and not by the library of that name, with which the tests write theirs. It runs what is
in a pickle that lies beside a table, and tags of the header; and where files and their segments are
both labelled, it may give a segment the speaker of another file (1.4.3, where the segments of a
file do not lie together).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gensr.features.audio.segments import file_of
from gensr.features.corpora.clip import Clip
from gensr.features.corpora.columns import field_of
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.names import odd, printable
from gensr.features.corpora.official import meanings, part_of
from gensr.features.corpora.rows import clip_of
from gensr.features.store.errors import StoreError
from gensr.features.store.names import check_names
from gensr.pipeline.importing.cells import cell_of, plain, read_columns
from gensr.pipeline.importing.header import Header
from gensr.pipeline.importing.parts import parts_of

_SURE = ("emotion", "speaker", "split")
"""What tables may not contradict each other about."""
_FIELDS = ("speaker", "gender", "sentence", "dialogue", "emotion", "canonical", "split", "corpus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The utterances of a database."""

    clips: tuple[Clip, ...]
    """Every file, and every part of one, that a table names; a part has what is said of it, else
    of its file, and is called as a part is, `talk.wav#t=1.5,4`."""
    asked: frozenset[str]
    """Paths of those that have an emotion of their own, or, where nothing is called so, of all:
    it is worth a line where they have no vectors."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """What a column is called here, and its scheme."""

    name: str
    scheme: str


def read_database(header: Header) -> Labelled:
    """Read what all tables say, by utterance.

    Raises:
        CorpusError: a table cannot be read, or tables contradict each other about an emotion, a
            speaker or a split.
    """
    told = _Told(header)
    meant = _meant(header, told.notes)
    used = {column.scheme for columns in meant.values() for column in columns.values()}
    labels = {scheme: _labels(header, scheme) for scheme in used}
    for table, columns in meant.items():
        times = ("start", "end") if header.tables[table].get("type") == "segmented" else ()
        file = header.file(table)
        cells = read_columns(file, ("file", *times, *columns))
        entries = parts_of(file, cells["file"], *(cells[name] for name in times))
        if None in entries:
            told.note(f"{file.name}: rows without a file, or whose part has no length: left out")
        entries = [None if entry is None else told.called(entry) for entry in entries]
        for name, column in columns.items():
            known, dtype = labels[column.scheme], _dtype(header, column.scheme)
            for entry, cell in zip(entries, cells[name], strict=True):
                if entry is not None:
                    cell = plain(cell, dtype)
                    told.say(column.name, entry, cell, known.get(cell))
        kind = header.split(table)
        if kind == "other":
            split = header.tables[table]["split_id"]
            told.note(f"the split {split!r} is no train, dev or test: left out")
        for entry in filter(None, entries):
            told.put("split", entry, "" if kind == "other" else kind)
    return told.labelled()


@dataclass(slots=True)
class _Told:
    """By column and utterance, what was said."""

    header: Header
    said: dict[str, dict[str, str]] = field(default_factory=dict)
    entries: dict[str, None] = field(default_factory=dict)
    clashes: dict[str, str] = field(default_factory=dict)
    """By column an utterance of which two things were said; the first is kept."""
    notes: dict[str, None] = field(default_factory=dict)

    def note(self, what: str) -> None:
        """Say it once."""
        self.notes[what if what.startswith("db.") else f"db.yaml: {what}"] = None

    def called(self, entry: str) -> str | None:
        """An utterance's name, or None with a note where no file can have it."""
        if why := odd(entry):
            self.note(f"{printable(entry)}: a name that is {why}: left out")
            return None
        return entry

    def say(self, name: str, entry: str, cell: str, label: Any) -> None:
        """Say a cell of an utterance, and what its label stands for: text, or columns of it."""
        if isinstance(label, Mapping):
            for key, inner in label.items():
                self.put(_called(name, str(key)), entry, cell_of(inner))
        elif label is not None:
            cell = cell_of(label)
        self.put(name, entry, cell)

    def put(self, name: str, entry: str, cell: str) -> None:
        """Say a cell, unless it is empty."""
        self.entries[entry] = None
        if cell:
            self._same(name, entry, self.said.setdefault(name, {}).setdefault(entry, cell), cell)

    def _same(self, name: str, entry: str, one: str, other: str) -> None:
        if one == other:
            return
        if name in _SURE:
            raise CorpusError(
                f"{self.header.place}: {name} of {entry} is {one!r} and {other!r}, by tables or "
                "raters that differ; give one table with file, emotion, speaker, ..."
            )
        self.clashes.setdefault(name, entry)

    def labelled(self) -> Labelled:
        """All of it.

        Raises:
            CorpusError: nothing was said, or of a part another speaker or split than of its file.
        """
        if not self.said:
            raise CorpusError(f"{self.header.place}: a database whose tables label nothing")
        for name in ("speaker", "split"):
            said = self.said.get(name, {})
            for entry, cell in said.items():
                self._same(name, entry, said.get(file_of(entry), cell), cell)
        for name, entry in self.clashes.items():
            self.note(f"{name!r} has several values for {entry}: left out")
            del self.said[name]
        self._splits()
        extra: list[str] = []
        for name in self.said:
            if name not in _FIELDS and self._kept(name, extra):
                extra.append(name)
        if "emotion" not in self.said:
            has = ", ".join(sorted(self.header.schemes)) or "none"
            self.note(f"no scheme or column for the emotion (schemes: {has})")
        return Labelled(
            clips=tuple(self._clip(entry, extra) for entry in self.entries),
            asked=frozenset(self.said.get("emotion", self.entries)),
            notes=tuple(self.notes),
        )

    def _kept(self, name: str, others: Iterable[str]) -> bool:
        """Whether a store can have a column of that name beside others; a note where it cannot."""
        try:
            check_names([*others, name])
        except StoreError as error:
            self.note(f"{error}; left out")
            return False
        return True

    def _splits(self) -> None:
        """Put train, dev and test in the place of other words for them."""
        said = self.said.get("split", {})
        words = {cell: part_of(cell) for cell in {*said.values()}}
        if strange := [cell for cell, part in words.items() if not part]:
            self.note(f"the split {strange[0]!r} is no train, dev or test: no split is taken")
            del self.said["split"]
            return
        try:
            known = meanings(words.values())
        except ValueError as error:
            raise CorpusError(f"{self.header.place}: {error}") from None
        self.said["split"] = {entry: known[words[cell]] for entry, cell in said.items()}

    def _clip(self, entry: str, extra: Iterable[str]) -> Clip:
        file = file_of(entry)

        def of(name: str) -> str:
            said = self.said.get(name, {})
            return said.get(entry) or said.get(file, "")

        known = {name: of(name) for name in _FIELDS}
        own = {name: of(name) for name in extra}
        return clip_of(str(self.header.place), entry, known, self.header.name, own)


def _called(scheme: str, key: str) -> str:
    """The column of what a label tells of itself: somebody else's gender is not the speaker's."""
    usual = field_of(key)
    if scheme != "speaker" or usual not in (None, "gender"):
        return f"{scheme}.{key}"
    return usual or key


def _meant(header: Header, notes: dict[str, None]) -> dict[str, dict[str, _Column]]:
    """By table the columns that say something, and what they are called here.

    Those are the ones with a usual name, their own or their scheme's, and all with a scheme that is
    of no fractions. A table of a split is among them without any.
    """
    every = list(header.columns())
    users: dict[str, set[str]] = {}
    for _, column, scheme in every:
        users.setdefault(scheme, set()).add(column)
    exact = {name.casefold() for _, column, scheme in every for name in (column, scheme)}
    taken: dict[str, tuple[str, str]] = {}
    found: dict[str, dict[str, _Column]] = {}
    for table, column, scheme in every:
        usual = _field(column, scheme, users[scheme])
        if usual and usual in exact and usual not in (column.casefold(), scheme.casefold()):
            notes[f"db.yaml: {column!r} is kept as it is, {usual!r} is the {usual}"] = None
            usual = ""
        if usual == "file" or (not usual and (not scheme or _dtype(header, scheme) == "float")):
            continue
        called = scheme if len(users[scheme]) == 1 else column
        one = (scheme, "" if called == scheme else column)
        if not usual and (called in _FIELDS or taken.setdefault(called, one) != one):
            called = f"{scheme}.{column}"
        found.setdefault(table, {})[column] = _Column(usual or called, scheme)
    for table in header.tables:
        if header.split(table):
            found.setdefault(table, {})
    return found


def _field(column: str, scheme: str, users: Iterable[str]) -> str:
    """What a manifest would call a column, or nothing.

    Its own name comes before its scheme's, another word for the same thing last; and where a column
    is called as its scheme is, others of that scheme are something else.
    """
    if (name := column.casefold()) == field_of(column):
        return name
    if (name := scheme.casefold()) == field_of(scheme):
        return "" if any(other.casefold() == name for other in users) else name
    return (field_of(scheme) if scheme else None) or field_of(column) or ""


def _labels(header: Header, scheme: str) -> Mapping[str, Any]:
    """By label what it stands for, text or columns: from the scheme, or a table of its own."""
    table, dtype = header.schemes.get(scheme, {}).get("labels"), _dtype(header, scheme)
    if not isinstance(table, str):
        return _listed(header, scheme)
    level, own, columns = header.labels_of(table)
    read = read_columns(header.file(table), (level, *columns))
    for name, settings in columns.items():
        inner = str(settings.get("scheme_id") or "")
        texts, kind = _listed(header, inner), _dtype(header, inner)
        cells = [plain(cell, kind) for cell in read[name]]
        read[name] = [cell_of(texts.get(cell)) or cell for cell in cells]
    return {
        plain(label, own or dtype): {name: read[name][n] for name in columns}
        for n, label in enumerate(read[level])
    }


def _listed(header: Header, scheme: str) -> Mapping[str, Any]:
    """The same of a scheme that lists what its labels stand for."""
    labels, dtype = header.schemes.get(scheme, {}).get("labels"), _dtype(header, scheme)
    if not isinstance(labels, Mapping):
        return {}
    return {plain(cell_of(label), dtype): meaning for label, meaning in labels.items()}


def _dtype(header: Header, scheme: str) -> str:
    return str(header.schemes.get(scheme, {}).get("dtype") or "")
