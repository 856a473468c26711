"""One question asked of one model with several seeds: a folder of runs, `seed-0/`, `seed-1/`, ...

    RUN/set.json       the seeds that were asked for
    RUN/seed-K/        a run like any other (run.py)

What stands for a system in a table is the runs of such a set, or one run. A seed that is missing
is an error, as a fold that is missing is: a mean over fewer seeds than were asked for is another
number.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.files import make_folder, read_whole, write_whole
from gensr.features.store.where import Location, local
from gensr.pipeline.runs import kinds
from gensr.pipeline.runs.files import MOST, plain_bytes, read_plain
from gensr.pipeline.runs.run import SET, Run, is_beginning, is_run, is_set, seed_folder


def runs_of(place: Run | Location) -> tuple[Run, ...]:
    """The runs of a set, in the order of their seeds; of one run, that run.

    Args:
        place: a run, or the folder of a run or of a set.

    Raises:
        RunError: it is neither, a seed of the set is missing, or its runs differ in more than
            their seed.
    """
    if isinstance(place, Run):
        return (place,)
    folder = local(place)
    if not is_set(folder):
        return (Run.open(folder),)
    runs = tuple(Run.open(seed_folder(folder, seed)) for seed in _there(folder))
    for run in runs[1:]:
        _check_alike(runs[0], run)
    return runs


def seeds_of(folder: Path) -> tuple[int, ...]:
    """The seeds that a set was asked for, rising.

    Raises:
        RunError: its file is damaged.
    """
    path = folder / SET
    seeds = read_plain(path).get("seeds")
    if not isinstance(seeds, list) or not seeds or not all(kinds.whole(seed) for seed in seeds):
        raise RunError(f"{path} cannot be read (it lacks the seeds); train again")
    return tuple(sorted(seeds))


def begin_set(folder: Path, seeds: Sequence[int], *, resume: bool, overwrite: bool) -> None:
    """Make a set, or see that the one that is there may be gone on with or replaced.

    Args:
        folder: of the set.
        seeds: that are asked for. A set that is resumed may get further ones.
        resume: go on with the set that is there.
        overwrite: its runs are about to be replaced.

    Raises:
        RunError: the folder is something else, holds a set already, or seeds beside these.
    """
    asked = sorted(seeds)
    begun = is_set(folder) and any(seed_folder(folder, seed).exists() for seed in seeds_of(folder))
    if begun:
        if not (resume or overwrite):
            raise RunError(
                f"{folder} holds runs of several seeds already; pass --resume to go on with them, "
                "--overwrite to replace them, or another --run"
            )
        if beside := sorted({*seeds_of(folder)} - {*asked}):
            raise RunError(
                f"{folder} holds seed {beside[0]} too: pass {_said(seeds_of(folder))} among "
                "--seeds, or another --run"
            )
    elif resume:
        raise RunError(f"{folder} holds no runs of several seeds to resume; drop --resume")
    elif folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; a set of runs is a folder, pass another --run")
    elif folder.is_dir() and not is_set(folder) and any(folder.iterdir()):
        what = "a run of one seed" if is_run(folder) or is_beginning(folder) else "something else"
        raise RunError(f"{folder} holds {what}; pass another --run")
    make_folder(folder)
    write_whole(folder / SET, plain_bytes({"seeds": asked}))


def kept_set(folder: Path) -> bytes | None:
    """What a set's file says; None where there is none."""
    try:
        return read_whole(folder / SET, MOST)
    except (OSError, RunError):
        return None


def put_back(folder: Path, before: bytes | None) -> None:
    """Leave a set as it was before it was begun, where none of its seeds was.

    Args:
        folder: of the set.
        before: what its file said, of `kept_set`.
    """
    if before is not None:
        write_whole(folder / SET, before)
    elif not any(seed_folder(folder, seed).exists() for seed in seeds_of(folder)):
        (folder / SET).unlink()
        with suppress(OSError):  # what else lies there stays
            folder.rmdir()


def parse_seeds(text: str) -> tuple[int, ...]:
    """Several seeds, as `0-4` or `0,1,7`.

    Raises:
        ConfigError: they are none, fewer than two, or one of them twice.

    >>> parse_seeds("0-2,7")
    (0, 1, 2, 7)
    """
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.strip().partition("-")
            seeds += range(int(first), int(last) + 1) if dash else [int(first)]
    except ValueError:
        seeds = []
    if len(seeds) < 2 or len({*seeds}) < len(seeds) or len(seeds) > _MOST:
        raise ConfigError(
            f"--seeds takes several whole numbers, as 0-4 or 0,1,7; found {text}; one is --seed"
        )
    return tuple(sorted(seeds))


_MOST = 1000
"""Seeds of one set."""


def _there(folder: Path) -> Iterable[int]:
    seeds = seeds_of(folder)
    missing = [seed for seed in seeds if not is_run(seed_folder(folder, seed))]
    if missing:
        raise RunError(
            f"{folder} lacks seed {missing[0]}: the training did not finish; `gensr train ... "
            f"--seeds {_said(seeds)} --run {folder} --resume` goes on with it"
        )
    return seeds


def _said(seeds: Sequence[int]) -> str:
    return ",".join(map(str, seeds))


def _check_alike(first: Run, other: Run) -> None:
    """Refuse runs that differ in more than their seed: somebody put them there."""
    alone = ("run", "hashes", "stores", "seed")
    one, two = (
        {key: value for key, value in run.config.to_plain().items() if key not in alone}
        for run in (first, other)
    )
    for key in sorted({*one, *two}):
        if one.get(key) != two.get(key):
            raise RunError(
                f"{first.folder} and {other.folder} differ in {key}, not in the seed alone: they "
                "are no runs of one set"
            )
    if first.manifest.protocol_hash != other.manifest.protocol_hash:
        raise RunError(
            f"{first.folder} and {other.folder} answer different questions "
            f"({first.manifest.protocol_hash}, {other.manifest.protocol_hash})"
        )
