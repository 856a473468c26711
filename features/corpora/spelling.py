"""Spellings of one label are one class: `Angry`, `angry `, `ANGRY`, and Unicode's many forms.

Two cells are spellings of one label where they differ in nothing but case, space (of any kind and
number; in an emotion `_` and `-` are space too), characters without a shape (zero-width ones,
marks of direction) and the form that Unicode gives to the same letters. They become the commonest
spelling, of equally common ones the first in code points; a note names them. Words are never
joined: `angry` and `anger` meet in `canonical` alone.

Speakers are joined as well: were `Anna` and `anna` two, one person could be learnt from and
tested; were two people joined, they would only stand on the same side. Speakers, sentences and
dialogues are joined within their corpus. A column of the corpus's own is joined where it tells
classes apart: at most 64 of them, and half as many as clips; a transcript stays as it is.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gensr.features.corpora.clip import Clip

_WITHIN = ("speaker", "sentence", "dialogue")
"""Fields whose values mean something within one corpus alone."""
_CLASSES = 64
_SHOWN = 6

Spellings = Mapping[str, str]
"""From each spelling that gives way to the one that stands for it."""


def tidy(cell: str) -> str:
    """Return a label without what cannot be seen at its ends, in Unicode's composed form.

    >>> tidy("\ufeffangry\u00a0\u200b "), tidy("two\u00a0 words")
    ('angry', 'two words')
    """
    if cell.isascii() and cell.isprintable() and cell.strip() == cell and "  " not in cell:
        return cell  # nearly all are
    words = unicodedata.normalize("NFC", cell).split()
    return " ".join(words).strip(_unseen(cell) + " ")


def folded(cell: str) -> str:
    """Return what all spellings of a label share.

    >>> folded("AN\u200bGRY ") == folded("angry"), folded("angry") == folded("anger")
    (True, False)
    """
    if cell.isascii():
        return " ".join(cell.casefold().split())
    form = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cell).casefold())
    seen = "".join(c for c in form if unicodedata.category(c) != "Cf")
    return " ".join(seen.split())


def joined(clips: Sequence[Clip]) -> tuple[tuple[Clip, ...], tuple[str, ...]]:
    """Give every label of a corpus one spelling.

    Args:
        clips: All clips of a scan.

    Returns:
        The clips in the same order, and a note for each label that had several spellings.
    """
    changes, notes = _changes(_columns(clips))
    if not changes:
        return tuple(clips), ()
    return tuple(_respelt(clip, changes) for clip in clips), notes


def joined_columns(
    table: Mapping[str, Sequence[str]], own: Collection[str]
) -> tuple[Mapping[str, list[str]], tuple[str, ...]]:
    """Give every label of a table one spelling, as `joined` does for the clips of one scan.

    Args:
        table: columns of equal length, of one store or several.
        own: names of columns that every table has; the others are a corpus's.

    Returns:
        The columns that change, and the notes.
    """
    asked = {"emotion", *_WITHIN, *(set(table) - set(own))} & set(table)
    changes, notes = _changes(_table_columns(table, asked))
    changed: dict[str, list[str]] = {}
    for field in sorted({field for field, _ in changes}):
        corpora = table["corpus"] if field in _WITHIN else [""] * len(table[field])
        changed[field] = [
            changes.get((field, corpus), {}).get(value, value)
            for value, corpus in zip(table[field], corpora, strict=True)
        ]
    return changed, notes


def _changes(
    columns: Iterable[tuple[str, str, Sequence[str]]],
) -> tuple[Mapping[tuple[str, str], Spellings], tuple[str, ...]]:
    """Return spellings by (field, corpus or nothing), and a note for each label with several."""
    notes: dict[str, list[str]] = defaultdict(list)
    changes: dict[tuple[str, str], Spellings] = {}
    for field, corpus, values in columns:
        fold = _emotion if field == "emotion" else folded
        groups = _groups(values, fold)
        if field not in Clip.__dataclass_fields__ and not _tells_classes(values, groups):
            continue
        spellings: dict[str, str] = {}
        for forms in groups.values():
            best = _commonest(forms)
            spellings |= {form: best for form in forms if form != best}
            if len(forms) > 1:
                notes[field].append(_note(field, best, forms))
        if spellings:
            changes[field, corpus] = spellings
    said = (line for field, lines in sorted(notes.items()) for line in _few(field, sorted(lines)))
    return changes, tuple(said)


def _table_columns(
    table: Mapping[str, Sequence[str]], asked: Iterable[str]
) -> Iterable[tuple[str, str, Sequence[str]]]:
    for field in sorted(asked):
        if field not in _WITHIN:
            yield field, "", table[field]
            continue
        by_corpus: dict[str, list[str]] = defaultdict(list)
        for corpus, value in zip(table["corpus"], table[field], strict=True):
            by_corpus[corpus].append(value)
        yield from ((field, corpus, values) for corpus, values in sorted(by_corpus.items()))


def _columns(clips: Sequence[Clip]) -> Iterable[tuple[str, str, list[str]]]:
    """Yield (field, corpus where it is within one, values)."""
    yield "emotion", "", [clip.emotion for clip in clips]
    for field in _WITHIN:
        by_corpus: dict[str, list[str]] = defaultdict(list)
        for clip in clips:
            by_corpus[clip.corpus].append(getattr(clip, field))
        yield from ((field, corpus, values) for corpus, values in sorted(by_corpus.items()))
    for name in sorted({name for clip in clips for name in clip.extra}):
        yield name, "", [clip.extra.get(name, "") for clip in clips]


def _groups(values: Iterable[str], fold: Callable[[str], str]) -> Mapping[str, Mapping[str, int]]:
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for value, count in Counter(values).items():
        if value:
            groups[fold(value)][value] = count
    return groups


def _tells_classes(values: Sequence[str], groups: Mapping[str, object]) -> bool:
    filled = sum(map(bool, values))
    return len(groups) <= _CLASSES and 2 * len(groups) <= filled


def _commonest(forms: Mapping[str, int]) -> str:
    counts: Counter[str] = Counter()
    for form, count in forms.items():
        counts[tidy(form)] += count
    return min(counts, key=lambda form: (-counts[form], form))


def _respelt(clip: Clip, changes: Mapping[tuple[str, str], Spellings]) -> Clip:
    def best(field: str, value: str, corpus: str = "") -> str:
        spellings = changes.get((field, corpus))
        return spellings.get(value, value) if spellings else value

    within: dict[str, Any] = {
        field: best(field, getattr(clip, field), clip.corpus) for field in _WITHIN
    }
    return replace(
        clip,
        emotion=best("emotion", clip.emotion),
        **within,
        extra={name: best(name, value) for name, value in clip.extra.items()},
    )


def _note(field: str, best: str, forms: Mapping[str, int]) -> str:
    ordered = sorted(forms, key=lambda form: (-forms[form], form))
    told = ", ".join(f"{form!r} ({forms[form]})" for form in ordered[:_SHOWN])
    more = ", ..." if len(ordered) > _SHOWN else ""
    return f"spellings of one {field} joined as {best!r}: {told}{more}"


def _few(field: str, lines: Sequence[str]) -> Sequence[str]:
    if len(lines) <= _SHOWN:
        return lines
    rest = len(lines) - _SHOWN
    return (*lines[:_SHOWN], f"spellings of {rest} more values of {field} joined")


def _emotion(cell: str) -> str:
    return " ".join(re.sub(r"[_-]", " ", folded(cell)).split())


def _unseen(cell: str) -> str:
    return "".join({c for c in cell if unicodedata.category(c) in ("Cf", "Cc")})
