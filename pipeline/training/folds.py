"""The folds of a run: one after another, or, of a small model, several as one program.

Which folds go together follows from the run's own list of folds and the size of its vectors, so
that a run that is resumed, on however many cores, streamed or not, ends in the same bits. Each lot
runs on one thread of its own; of their results nothing passes between them.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

import torch
from torch import Tensor

from gensr.estimator.device import SMALL, threads_for
from gensr.estimator.errors import RunError
from gensr.estimator.fitting import Fitting, LogEntry, TrainingConfig, unkept
from gensr.estimator.learner import Learner
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.resident import COPY, Resident
from gensr.estimator.stack import Member
from gensr.estimator.together import fit_together
from gensr.features.cores import usable_cores
from gensr.pipeline.protocols.protocol import Fold
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.training.fold import FoldTraining, chosen_steps, logged

_LOT = 6
"""Most folds that are trained as one program: more gain little, and two cores share 24 evenly."""

Lot = Sequence[Fold]


def learn(training: FoldTraining, folds: Sequence[Fold]) -> Iterator[tuple[Fold, Classifier]]:
    """Train every fold, or go on with it, or load it where it is done.

    Yields:
        Each fold with its model, in order.

    Raises:
        RunError: what is there is damaged or another run's, or nothing can be written.
    """
    lots = _lots(training, folds)
    if lots is not None:
        _learn_together(training, lots)
    for fold in folds:
        if not training.group.share(training.is_done(fold)):
            yield fold, _learn_alone(training, fold, len(folds) == 1)
            continue
        if training.group.leads:
            training.clear(fold)
        yield fold, training.kept(fold)


def _learn_alone(training: FoldTraining, fold: Fold, only: bool) -> Classifier:
    """Train one fold; `only` if its clips are no other's."""
    model, stop = training.fresh(fold), None
    lines: list[dict[str, object]] = []
    dev: list[Prediction] = []
    compared, tried, budget = training.compared(fold), training.tries(fold), training.budget
    with threads_for(model.size):
        if compared:
            budget, lines, dev = _compare(training, fold, compared)
        elif tried:
            log = _fit(training, model, fold, "choose")
            if training.chooses(fold):
                stop = training.group.share(chosen_steps(log))
            lines, dev = logged(fold, "choose", log), training.dev_answers(fold, model, log)
            model = training.fresh(fold)
        alone = only and not (tried or compared)
        log = _fit(training, model, fold, "learn", stop=stop, alone=alone, budget=budget)
    if training.group.leads:
        training.keep(fold, model, [*lines, *logged(fold, "learn", log)], dev)
        training.clear(fold)
    return model


def _compare(
    training: FoldTraining, fold: Fold, budgets: Sequence[TrainingConfig]
) -> tuple[TrainingConfig, list[dict[str, object]], list[Prediction]]:
    """Train by each budget on the train part alone, and ask each of the development part.

    Returns:
        The budget at whose end it was told apart best, the least of equals; the logs of all; and
        what that model answered.
    """
    lines: list[dict[str, object]] = []
    tried = []
    for budget in budgets:
        phase, model = f"choose-{budget.steps}", training.fresh(fold)
        log = _fit(training, model, fold, phase, budget=budget)
        lines += logged(fold, phase, log)
        loss = log[-1].dev_loss if log else None
        if loss is None:
            raise RunError(f"{model.name} tells nothing of its development part; drop --choose")
        tried.append((loss, budget.steps, budget, training.dev_answers(fold, model, log)))
    _, _, budget, dev = min(tried, key=lambda one: one[:2])
    return training.group.share(budget), lines, dev


def _fit(
    training: FoldTraining,
    model: Classifier,
    fold: Fold,
    phase: str,
    *,
    stop: int | None = None,
    alone: bool = False,
    budget: TrainingConfig | None = None,
) -> list[LogEntry]:
    budget = budget or training.budget
    steps = budget.steps if budget else 1
    training.listener.stage(f"fold {fold.name}: {phase}", stop or steps)
    done = 0

    def report(entry: LogEntry) -> None:
        nonlocal done
        training.listener.advance(entry.step - done)
        done = entry.step

    choosing = phase.startswith("choose")
    how = Fitting(
        seed=training.seed_of(fold),
        budget=budget,
        dev=training.part(fold.dev) if choosing else None,
        checkpoint=training.checkpoint(fold, phase),
        owner=training.run.identity,
        stop=stop,
        report=report,
        answered=_answered(training, fold, phase),
        group=training.group,
    )
    rows = fold.train if choosing else fold.learn
    return model.fit(training.part(rows, alone=alone), how)


def _answered(training: FoldTraining, fold: Fold, phase: str) -> Callable[[LogEntry, Tensor], None]:
    """What is done with the answers at a look at the development part."""
    keeps = phase == "choose" and training.chooses(fold) and training.group.leads
    return training.best_look(fold) if keeps else unkept


def _lots(training: FoldTraining, folds: Sequence[Fold]) -> list[Lot] | None:
    """Which folds are trained as one program; None where they are trained one by one."""
    clips, budget = training.clips, training.budget
    if any(map(training.compared, folds)):  # each then ends by a schedule of its own
        return None
    # A GPU is faster with one captured step after another.
    if budget is None or training.group.size > 1 or clips.device.type == "cuda":
        return None
    model = training.fresh(folds[0])
    if not isinstance(model, Learner) or not model.stacks or model.size >= SMALL:
        return None
    parts = [fold.learn for fold in folds]
    parts += [fold.train for fold in folds if training.tries(fold)]
    layers, width = clips.shape
    small = 4 * len(clips) * layers * width <= COPY  # they are held, whatever was asked for
    if not small or len(folds) < 2 or min(map(len, parts)) < budget.batch_size:
        return None
    count = -(-len(folds) // _LOT)
    return [folds[i * len(folds) // count : (i + 1) * len(folds) // count] for i in range(count)]


def _learn_together(training: FoldTraining, lots: Sequence[Lot]) -> None:
    """Train lots beside each other, on a thread each; the listener is told from this one."""
    left = [lot for lot in lots if not all(map(training.is_done, lot))]
    if not left:
        return
    if not isinstance(training.clips, Resident):
        clips = training.clips
        held = Resident(clips.whole(), clips.y, groups=clips.groups)
        training = replace(training, clips=held)
    told, over = SimpleQueue[int](), threading.Event()
    phases = [1 + any(map(training.tries, lot)) for lot in left]
    total = _budget(training).steps * sum(n * len(lot) for n, lot in zip(phases, left, strict=True))
    training.listener.stage(f"{sum(map(len, left))} folds", total)
    threads = min(len(left), usable_cores() if training.clips.device.type == "cpu" else 1)
    # A thread's number of threads is partly everybody's: it is put back when all are done.
    with threads_for(0), ThreadPoolExecutor(threads, "lot") as pool:
        work = [pool.submit(_learn_lot, training, lot, told, over) for lot in left]
        try:
            _listen(training, work, told)
        finally:
            over.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _listen(training: FoldTraining, work: Sequence[Future[None]], told: SimpleQueue[int]) -> None:
    """Hand on what the lots tell until all are done, or one has failed."""
    for one in work:
        one.add_done_callback(lambda done: told.put(-1))
    left = len(work)
    while left:
        steps = told.get()
        if steps >= 0:
            training.listener.advance(steps)
            continue
        left -= 1
        for one in work:
            if one.done():
                one.result()


def _learn_lot(
    training: FoldTraining, lot: Lot, told: SimpleQueue[int], over: threading.Event
) -> None:
    """Train the folds of a lot, and keep what is not kept yet."""
    torch.set_num_threads(1)  # of this thread
    stops: dict[str, int] = {}
    lines = {fold.name: list[dict[str, object]]() for fold in lot}
    dev: dict[str, list[Prediction]] = {}
    tried = [fold for fold in lot if training.tries(fold)]
    if tried:
        members = [_member(training, fold, "choose") for fold in tried]
        logs = _run(training, lot, members, told, over, "choose")
        for fold, member, log in zip(tried, members, logs, strict=True):
            if training.chooses(fold):
                stops[fold.name] = chosen_steps(log)
            lines[fold.name] += logged(fold, "choose", log)
            if not training.is_done(fold):
                dev[fold.name] = training.dev_answers(fold, _classifier(member), log)
        told.put(_budget(training).steps * (len(lot) - len(tried)))
    members = [_member(training, fold, "learn", stops.get(fold.name)) for fold in lot]
    logs = _run(training, lot, members, told, over, "learn")
    told.put((_budget(training).steps - max(each.end for each in members)) * len(lot))
    for fold, member, log in zip(lot, members, logs, strict=True):
        if not training.is_done(fold):
            both = [*lines[fold.name], *logged(fold, "learn", log)]
            training.keep(fold, _classifier(member), both, dev.get(fold.name, ()))
    for fold in lot:
        training.clear(fold)


def _member(training: FoldTraining, fold: Fold, phase: str, stop: int | None = None) -> Member:
    model = training.fresh(fold)
    assert isinstance(model, Learner)
    choosing = phase == "choose"
    return Member(
        model=model,
        train=training.part(fold.train if choosing else fold.learn),
        config=_budget(training),
        seed=training.seed_of(fold),
        dev=training.part(fold.dev) if choosing else None,
        stop=stop,
        answered=_answered(training, fold, phase),
    )


def _classifier(member: Member) -> Classifier:
    assert isinstance(member.model, Classifier)
    return member.model


def _budget(training: FoldTraining) -> TrainingConfig:
    assert training.budget is not None  # of a model that is trained by steps
    return training.budget


def _run(
    training: FoldTraining,
    lot: Lot,
    members: Sequence[Member],
    told: SimpleQueue[int],
    over: threading.Event,
    phase: str,
) -> list[list[LogEntry]]:
    """Train members; what they have done is kept beside the first fold of the lot."""
    return fit_together(
        members,
        checkpoint=training.checkpoint(lot[0], f"{phase}.together"),
        owner=training.run.identity,
        report=lambda steps: told.put(steps * len(members)),
        over=over.is_set,
    )
