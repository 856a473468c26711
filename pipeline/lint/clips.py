"""What is looked at: the clips of a store, or of a corpus or manifest that is heard for it.

A corpus is heard as `gensr extract` hears it (processes of their own decode, so that a file that
crashes a decoder costs one file), and no encoder is loaded. What can be used is then measured.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.corpora import Problem, scan
from gensr.features.corpora.errors import CorpusError
from gensr.features.hearing.measure import Measured, measure
from gensr.features.hearing.survey import in_order, survey
from gensr.features.store import open_store
from gensr.features.store.where import Location, Where, local, locate
from gensr.pipeline.extraction.rows import clip_table
from gensr.pipeline.progress import Listener
from gensr.pipeline.protocols.clip_table import one_table

Texts = dict[str, NDArray[Any]]
"""Columns of text of the clip table, one value a clip, empty where unknown."""
_THREADS, _AHEAD = 4, 32
"""Files that are measured together, and begun before they are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """Clips, and what is known of them."""

    place: str
    """The corpus, manifest or store; several, by comma."""
    table: Texts
    """Of the clips that can be used."""
    problems: tuple[Problem, ...]
    """Files that cannot, and rows without a file."""
    notes: tuple[str, ...] = ()
    """What the scan says."""
    measured: tuple[Measured, ...] = ()
    """Of each clip, in the table's order; empty: nobody listened."""

    def __len__(self) -> int:
        return len(self.table["path"])


def clips_of_all(
    places: Sequence[Location],
    *,
    audio: Sequence[Location],
    allow_outside: bool,
    listener: Listener,
) -> Clips:
    """Read stores and hear corpora, as one table.

    Args:
        places: as `place` of `clips_of`, at least one.
        audio: of each place, in order; none for none.
        allow_outside: as there.
        listener: as there.

    Raises:
        GensrError: as there; or some of them are heard and some are not.
    """
    if audio and len(audio) != len(places):
        raise CorpusError(
            f"--audio is given {len(audio)} times, for {len(places)} stores: give one for each, "
            "in their order"
        )
    asked: Sequence[Location | None] = audio or [None] * len(places)
    found = [
        clips_of(place, audio=heard, allow_outside=allow_outside, listener=listener)
        for place, heard in zip(places, asked, strict=True)
    ]
    if len(found) == 1:
        return found[0]
    silent = [one.place for one in found if not one.measured]
    if silent and len(silent) < len(found):
        raise CorpusError(
            f"{silent[0]} is a store, which nobody listens to, beside a corpus, which is heard; "
            "give stores alone, or corpora alone"
        )
    table, notes = one_table([(one.place, one.table) for one in found])
    return Clips(
        place=", ".join(one.place for one in found),
        table=table,
        problems=tuple(problem for one in found for problem in one.problems),
        notes=(*(note for one in found for note in one.notes), *notes),
        measured=tuple(each for one in found for each in one.measured),
    )


def clips_of(
    place: Location, *, audio: Location | None, allow_outside: bool, listener: Listener
) -> Clips:
    """Read a store, or hear a corpus.

    Args:
        place: a store, a folder of a corpus, or a manifest.
        audio: where a store's files are, to be listened to; a folder, or a manifest in it.
        allow_outside: whether a manifest may name files outside its folder.
        listener: told of the stages `survey` and `listen`, in clips.

    Raises:
        GensrError: it is neither, or cannot be read.
    """
    where = locate(place)
    if is_store(where):
        return _store(where, audio, listener)
    if audio is not None:
        raise CorpusError(f"{place}: is no store, so it is heard itself; drop --audio")
    return _corpus(local(place), allow_outside, listener)


def is_store(where: Where) -> bool:
    """Whether a place is a store, by its name or by what lies in it; at a URL nothing else is."""
    if not isinstance(where, Path):
        return True
    return where.suffix in (".zarr", ".h5", ".hdf5") or (where / "zarr.json").is_file()


def _corpus(root: Path, allow_outside: bool, listener: Listener) -> Clips:
    found = scan(root, allow_outside=allow_outside)
    listener.stage("survey", len(found.clips))
    heard = survey(found.root, found.clips, advance=listener.advance)
    if not heard.heard:
        first = heard.problems[0]
        raise CorpusError(
            f"{root}: none of {len(heard.problems)} clips can be used; the first, {first.path}: "
            f"{first.reason}"
        )
    problems = (*found.problems, *heard.problems)
    columns = clip_table(heard.heard, problems, None)
    table = {name: _texts(values.tolist()) for name, values in columns.items()}
    clips = Clips(place=str(root), table=table, problems=problems, notes=found.notes)
    return _listened(clips, found.root, listener)


def _store(where: Where, audio: Location | None, listener: Listener) -> Clips:
    with open_store(where) as store:
        failed = zip(store.failed["path"].tolist(), store.failed["reason"].tolist(), strict=True)
        clips = Clips(
            place=str(where),
            table={name: _texts(values.tolist()) for name, values in store.table.items()},
            problems=tuple(Problem(path=str(path), reason=str(why)) for path, why in failed),
        )
    if audio is None:
        return clips
    root = local(audio)
    return _listened(clips, root.parent if root.is_file() else root, listener)


def _listened(clips: Clips, root: Path, listener: Listener) -> Clips:
    """Measure every clip's audio, and add what is a column."""
    paths, hashes = (clips.table[name].tolist() for name in ("path", "file_sha256"))
    listener.stage("listen", len(paths))
    measured = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="lint") as pool:
        asked = ((root / path, sha) for path, sha in zip(paths, hashes, strict=True))
        for one in in_order(pool, lambda pair: measure(*pair), asked, ahead=_AHEAD):
            measured.append(one)
            listener.advance(1, one.seconds)
    table = {
        **clips.table,
        "level_db": _texts([f"{one.level_db:.2f}" for one in measured]),
        "sample_rate": _texts([str(one.rate or "") for one in measured]),
    }
    return replace(clips, table=table, measured=tuple(measured))


def _texts(values: Sequence[object]) -> NDArray[Any]:
    return np.array([str(value) for value in values], dtype=object)
