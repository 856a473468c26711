"""Batches one after the other, so that a GPU never waits for the host.

A GPU works through a queue. It idles where the host prepares a batch before queueing it, or
waits for one batch's results before queueing the next. So a thread prepares one batch ahead, and
results are asked for one batch late. On a CPU results are there when the call returns, and the
same loop hands them out at once.

torch is imported where a tensor turns up and not before: encoders without it start fast.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

B = TypeVar("B")
P = TypeVar("P")

_AHEAD = 1
"""Batches prepared, or being prepared, beside the one that is started."""
_LAG = 1
"""Batches queued on the device before the oldest is waited for."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Vectors on their way from a device."""

    wait: Callable[[], NDArray[np.float32]]
    """Return them, waiting as long as it takes; raise what went wrong on the way."""
    here: bool
    """Waiting takes no time."""


def arrive(vectors: Any) -> Arrival:
    """Send for an encoder's vectors, without waiting where they come from a GPU.

    Args:
        vectors: an array, or a tensor on any device.
    """
    if isinstance(vectors, np.ndarray):
        return Arrival(lambda: vectors, here=True)
    if vectors.device.type != "cuda":
        array: NDArray[np.float32] = vectors.cpu().numpy()
        return Arrival(lambda: array, here=True)
    import torch

    # Only into page-locked memory does a copy leave the host free meanwhile.
    landing = torch.empty(vectors.shape, dtype=vectors.dtype, pin_memory=True)
    landing.copy_(vectors, non_blocking=True)
    done = torch.cuda.Event()  # type: ignore[no-untyped-call]
    done.record(torch.cuda.current_stream(vectors.device))

    def wait() -> NDArray[np.float32]:
        done.synchronize()
        return np.array(landing.numpy())  # a copy: page-locked memory is scarce

    return Arrival(wait, here=False)


def run_ahead(
    batches: Iterable[B], *, prepare: Callable[[B], P], start: Callable[[P], Arrival]
) -> Generator[Arrival, None, None]:
    """Start every batch, in order, and yield each that is due.

    Args:
        batches: taken one ahead, in the thread that prepares: a batch that is slow to come
            does not keep one that is ready from being started.
        prepare: host work; runs in another thread, one batch at a time.
        start: queues a prepared batch on the device; runs in the caller's thread.

    Yields:
        One arrival a batch, at once where it is here, and else after the next batch was
        started. Where something raises, so does the last arrival, after all those before it.
    """
    waiting: deque[Arrival] = deque()
    with closing(_started(batches, prepare, start)) as started:
        for arrival in started:
            waiting.append(arrival)
            while waiting and (waiting[0].here or len(waiting) > _LAG):
                yield waiting.popleft()
        yield from waiting


def side_by_side(
    batches: Iterable[B], work: Callable[[B], P], count: int
) -> Generator[P, None, None]:
    """Yield `work` of each batch, in order; so many are worked on at the same time.

    For an encoder that leaves all cores but one idle. Where `work` raises, or `batches` does, so
    does this, after all results before.

    Args:
        batches: taken in the caller's thread, at most twice `count` ahead.
        work: called in several threads.
        count: of threads.
    """
    waiting: deque[Future[P]] = deque()

    def begun() -> Iterator[Future[P]]:
        try:
            for batch in batches:
                yield pool.submit(work, batch)
        except Exception as error:
            failed: Future[P] = Future()
            failed.set_exception(error)
            yield failed

    with ThreadPoolExecutor(count, thread_name_prefix="encode") as pool:
        try:
            for future in begun():
                waiting.append(future)
                if len(waiting) > 2 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _started(
    batches: Iterable[B], prepare: Callable[[B], P], start: Callable[[P], Arrival]
) -> Generator[Arrival, None, None]:
    source = iter(batches)

    def step() -> list[P]:
        """Prepare the next batch; nothing is left where the list is empty."""
        return [prepare(batch) for batch in islice(source, 1)]

    with ThreadPoolExecutor(1, thread_name_prefix="prepare") as pool:
        ahead = deque([pool.submit(step)])
        try:
            while True:
                while len(ahead) <= _AHEAD:
                    ahead.append(pool.submit(step))
                try:
                    arrivals = [start(batch) for batch in ahead.popleft().result()]
                except Exception as error:
                    yield Arrival(_raiser(error), here=False)
                    return
                if not arrivals:
                    return
                yield from arrivals
        finally:
            for future in ahead:
                future.cancel()


def _raiser(error: Exception) -> Callable[[], NDArray[np.float32]]:
    def wait() -> NDArray[np.float32]:
        raise error

    return wait
