"""The protocol that a run keeps, on the rows of a clip table: its tests are in the run itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.pipeline.protocols.protocol import Fold, Protocol


def bound(kept: Protocol, table: Mapping[str, NDArray[Any]]) -> Protocol:
    """A kept protocol whose clips are a table's, in the table's order.

    Only its tests are its own: which clips a fold learnt from, and which made its development
    part, a run does not keep. A clip that is no longer there, or has another label or cluster
    now, is left out, so that the hash tells of it.

    Args:
        kept: as a run has it.
        table: columns of the clips of its stores; paths are unique.
    """
    row_of = {path: row for row, path in enumerate(table["path"].tolist())}
    native = _called(table, "emotion" if kept.label in ("emotion", "canonical") else kept.label)
    clusters = _called(table, kept.cluster if kept.cluster in table else "path")
    own: list[tuple[int, int]] = []
    for number, path in enumerate(kept.paths):
        if (row := row_of.get(path)) is None:
            continue
        label = kept.classes[kept.labels[number]]
        meant = {one for name in native(row) for one in kept.label_map.get(name, "").split(" or ")}
        if label in meant and kept.clusters[number] in (*clusters(row), path):
            own.append((row, number))
    own.sort()
    numbers = [number for _, number in own]
    place = np.full(len(kept.paths), -1, np.int64)
    place[numbers] = np.arange(len(numbers))

    def moved(part: NDArray[np.int64]) -> NDArray[np.int64]:
        there = place[part]
        return np.sort(there[there >= 0])

    return replace(
        kept,
        paths=tuple(kept.paths[number] for number in numbers),
        labels=kept.labels[numbers],
        clusters=tuple(kept.clusters[number] for number in numbers),
        store_rows=np.array([row for row, _ in own], np.int64),
        folds=tuple(
            Fold(
                name=fold.name,
                held_out=fold.held_out,
                train=moved(fold.train),
                dev=moved(fold.dev),
                test=moved(fold.test),
            )
            for fold in kept.folds
        ),
        columns={name: tuple(texts[i] for i in numbers) for name, texts in kept.columns.items()},
    )


def _called(table: Mapping[str, NDArray[Any]], column: str) -> Callable[[int], tuple[str, str]]:
    """What a row's value may be called: itself, or with its corpus where there are several."""
    return lambda row: (str(table[column][row]), f"{table['corpus'][row]}/{table[column][row]}")
