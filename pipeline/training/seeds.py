"""Several seeds of one training: one question, one model, a run for each seed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from gensr.estimator.errors import ConfigError, GensrError
from gensr.estimator.parallel import is_alone, is_first
from gensr.features.store.where import Location, each, local
from gensr.pipeline.progress import Listener
from gensr.pipeline.runs.run import is_beginning, is_run, new_folder, seed_folder
from gensr.pipeline.runs.sets import begin_set, kept_set, put_back
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.train import TrainReport, train


def train_seeds(
    stores: Location | Iterable[Location],
    config: TrainConfig,
    seeds: Sequence[int],
    *,
    folder: Location | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Listener | None = None,
) -> tuple[Path, tuple[TrainReport, ...]]:
    """Train with each seed, one after another; what was killed goes on with `resume`.

    Args:
        stores: see `train`.
        config: see `train`; its own seed has no say.
        seeds: of the trainings. The folds are the same: they follow from `split_seed`.
        folder: of the set, with a run for each seed in it; None makes `runs/<time>-<model>`.
        resume: go on with a set that was stopped, or add seeds to it.
        overwrite: replace the runs that are there.
        progress: told how far it is.

    Returns:
        The folder, and a report for each seed.

    Raises:
        ConfigError, StoreError, ProtocolError, RunError: see `train`; the folder holds another
            thing than these seeds.
    """
    if folder is None and not is_alone():
        raise ConfigError("several processes train several seeds: pass --run, the folder of all")
    where = new_folder(Path("runs"), config.named) if folder is None else local(folder)
    stores = list(each(stores))
    before = kept_set(where)
    if is_first():
        begin_set(where, seeds, resume=resume, overwrite=overwrite)
    reports: list[TrainReport] = []
    for seed in sorted(seeds):
        own = seed_folder(where, seed)
        try:
            report = train(
                stores,
                replace(config, seed=seed),
                folder=own,
                resume=resume and (is_run(own) or is_beginning(own)),
                overwrite=overwrite,
                progress=progress,
            )
        except GensrError:
            if is_first() and not reports:  # a slip in what was asked: it changes no set
                put_back(where, before)
            raise
        reports.append(report)
    return where, tuple(reports)
