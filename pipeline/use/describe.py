"""What a path is, in a few lines: a store, a run, or a corpus."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensr.features.corpora import scan
from gensr.features.corpora.names import printable
from gensr.features.same_encoder import named
from gensr.features.store import open_store
from gensr.features.store.facts import perturbed
from gensr.features.store.where import Location, Where, locate
from gensr.pipeline.runs.run import is_beginning, is_set
from gensr.pipeline.runs.sets import runs_of
from gensr.pipeline.use.describe_run import run_facts
from gensr.pipeline.use.grouping import capped, grouped

_NO_LABELS = ("path", "row", "seconds", "samples", "audio_sha256", "file_sha256")
"""Columns that are a clip's own."""

_SHARED = (
    *("model", "protocol", "label", "clips", "folds", "encoder"),
    *("enrolled by clips", "steps", "stores"),
)
"""What the runs of a set have in common, of the facts of one."""

VALUES = 40
"""Values of a column that are named; a store of a corpus of words may have thousands."""


@dataclass(frozen=True, slots=True)
class Description:
    """A title, named facts, and further lines."""

    title: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def describe(path: Location, *, everything: bool = False) -> Description:
    """Tell what there is to know of a store, a run or a corpus; at a URL, of a store.

    Args:
        path: What to look at.
        everything: Name each file that cannot be used, and each value; else they are grouped.

    Raises:
        GensrError: it is none of them, or damaged.
    """
    path = locate(path)
    if not isinstance(path, Path):
        return _store(path, everything)
    if is_set(path):
        return _set(path)
    if (path / "protocol.json").is_file() or is_beginning(path):
        return _run(path)
    is_zarr = path.suffix == ".zarr" or (path / "zarr.json").is_file()
    if is_zarr or path.suffix in (".h5", ".hdf5"):
        return _store(path, everything)
    return _corpus(path, everything)


def _store(path: Where, everything: bool) -> Description:
    with open_store(path) as store:
        encoder = store.header.encoder
        table = {name: [*map(str, values.tolist())] for name, values in store.table.items()}
        facts = [
            ("clips", f"{len(store)}, {store.table['seconds'].sum() / 3600:.2f} h"),
            ("encoder", f"{named(encoder)} ({encoder.get('family')})"),
            ("dtype", f"{encoder.get('dtype')}, stored as {store.header.dtype}"),
            ("verified", _verified(store.header.verification)),
            ("layers", f"{len(store.layers)} x {store.width}: {', '.join(store.layers)}"),
            ("x1", str(encoder.get("x1"))),
            ("perturbed", perturbed(store.header) or "no"),
            ("context", str(encoder.get("context"))),
            ("identical audio", f"{len(store) - store.header.audios} clips"),
            *_counts(table, everything),
            ("sentences", str(len(_distinct(table["sentence"])))),
            ("--label takes", _labels(table)),
            ("hash", store.fingerprint()[:16]),
        ]
        failed = zip(store.failed["path"], store.failed["reason"], strict=True)
        return Description(f"store {path}", tuple(facts), grouped(failed, everything=everything))


def _labels(table: Mapping[str, Sequence[str]]) -> str:
    """Return the columns that can be learnt to tell apart, each with its number of values."""
    counts = {
        name: len(_distinct(values)) for name, values in table.items() if name not in _NO_LABELS
    }
    return ", ".join(f"{name} ({count})" for name, count in counts.items() if count > 1) or "none"


def _distinct(values: Iterable[str]) -> set[str]:
    return {*values} - {""}


def _verified(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "no (gensr extract --verify K)"
    return (
        f"{found['clips']} clips encoded again alone, largest relative error "
        f"{found['error']:.1e} (bound {found['bound']:.0e})"
    )


def _corpus(path: Path, everything: bool) -> Description:
    found = scan(path, allow_outside=True)  # nothing is read but names
    columns = ("corpus", "emotion", "canonical", "speaker", "gender", "split")
    table = {name: [getattr(clip, name) for clip in found.clips] for name in columns}
    problems = grouped(((p.path, p.reason) for p in found.problems), everything=everything)
    return Description(
        f"corpus {printable(str(path))}",
        (("clips", str(len(found.clips))), *_counts(table, everything)),
        (*found.notes, *problems),
    )


def _set(path: Path) -> Description:
    """A set of seeds: its runs, and what all of them share."""
    runs = runs_of(path)
    facts, notes = run_facts(runs[0].folder)
    shared = [fact for fact in facts if fact[0] in _SHARED]
    seeds = ", ".join(str(run.config.seed) for run in runs)
    where = ", ".join(str(run.folder) for run in runs)
    return Description(f"runs {path}", (("seeds", seeds), *shared, ("runs", where)), notes)


def _run(path: Path) -> Description:
    return Description(f"run {path}", *run_facts(path))


def _counts(table: dict[str, list[str]], everything: bool) -> Iterable[tuple[str, str]]:
    for name in ("corpus", "emotion", "canonical", "gender", "split"):
        counts = Counter(value or "(none)" for value in table[name])
        if set(counts) != {"(none)"}:
            told = [f"{value} {count}" for value, count in sorted(counts.items())]
            yield name, capped(told, VALUES, everything=everything)
    pairs = set(zip(table["corpus"], table["speaker"], strict=True))
    yield "speakers", str(len([pair for pair in pairs if pair[1]]))
