"""A folder of `.npy` files, one an utterance: (K+1, L), or (L,) where there is one layer."""

from collections import Counter
from pathlib import Path

import numpy as np

from gensr.features.corpora.clip import Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.names import odd, printable
from gensr.pipeline.importing.given import Given, Vectors, sound

SUFFIX = ".npy"


def read_arrays(folder: Path) -> Given:
    """Look into every file below a folder; vectors are read when they are asked for.

    Raises:
        CorpusError: there is no such file, or none that can be read.
    """
    files = sorted(file for file in folder.rglob(f"*{SUFFIX}") if file.is_file())
    if not files:
        raise CorpusError(f"{folder}: holds no {SUFFIX} file, one for each utterance")
    known, problems = {}, []
    shapes: Counter[tuple[int, ...]] = Counter()
    for file in files:
        name = file.relative_to(folder).as_posix().removesuffix(SUFFIX)
        try:
            if why := odd(name):
                raise ValueError(f"a name that is {why}; rename the file")
            shape = _opened(file, mapped=True).shape
            if len(shape) not in (1, 2) or 0 in shape:
                raise ValueError(f"is of shape {shape}; expected (K+1, L) or (L,)")
        except ValueError as error:
            problems.append(Problem(path=printable(name), reason=str(error)))
            continue
        known[name] = file
        shapes[shape if len(shape) == 2 else (1, *shape)] += 1
    if not shapes:
        raise CorpusError(f"{folder / files[0].relative_to(folder)}: {problems[0].reason}")
    layers, width = shapes.most_common(1)[0][0]  # of equally many the first: others are problems

    def read(name: str) -> Vectors:
        return sound(_opened(known[name]), layers, width)

    return Given(
        names=tuple(known),
        read=read,
        layers=(*map(str, range(layers - 1)), "last"),
        width=width,
        identity={"source": "npy"},
        seconds={},
        problems=tuple(problems),
    )


def _opened(file: Path, *, mapped: bool = False) -> np.ndarray:
    """An array of a file; `ValueError` where there is none. Pickles are never opened."""
    try:
        found = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError("cannot be read as an array of numbers") from error
    if not isinstance(found, np.ndarray):
        raise ValueError("holds several arrays; expected one")  # an .npz by another name
    return found
