"""Encoding by the workers of a dask.distributed cluster: processes here, or machines anywhere.

dask decides which worker encodes which shard, and gives the shards of a worker that died to
another. What makes that safe is not here but in the store: one writer a shard, which appears
whole or not at all, and batches that follow from the plan.

    client (holds the lock, plans, commits)  -- one task a shard -->  workers (encode, write, mark)
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ConfigError, GensrError, one_line
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.cores import usable_cores
from gensr.features.encoders import Encoder
from gensr.features.encoders.registry import ENCODERS
from gensr.features.encoding.encode import Clips, clips_of
from gensr.features.encoding.windows import Batching
from gensr.features.hearing.survey import hear_in_children
from gensr.features.hearing.verdict import Verdict
from gensr.features.same_encoder import differences
from gensr.features.store.plan import Plan, Shard
from gensr.features.store.where import Where
from gensr.features.store.writing import Writing
from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.errors import ClusterError
from gensr.pipeline.extraction.local import begin_encoding, load_as
from gensr.pipeline.extraction.settings import ExtractionSettings
from gensr.pipeline.extraction.workers import workers  # first: says what to install
from gensr.pipeline.progress import Listener

# isort: split
import cloudpickle
from distributed import Client, Future, as_completed, fire_and_forget, wait
from distributed import client as client_module
from distributed.scheduler import KilledWorker

from gensr.pipeline.extraction import worker
from gensr.pipeline.extraction.worker import Task

_PATIENCE = 600.0
"""Seconds without any worker before an extraction gives up; queues of clusters are slow."""
_LOOK_EVERY, _ASK_EVERY = 0.1, 1.0
"""Seconds between two looks at what is done; and between two questions who is there."""
_FILES = 32
"""Files of one task while files are heard."""
_DEATHS = 3
"""Workers that may die while they load the encoder."""
_ENCODER_BYTES = 1 << 20
"""Of an encoder that is sent along: it goes through the scheduler with every task."""
_CLOSED: type[Exception] = getattr(client_module, "ClosedClientError", OSError)  # since 2026
_GONE = (OSError, ValueError, _CLOSED)
"""What a client raises whose scheduler is gone, or that was closed."""


@contextmanager
def cluster_executor(config: ExtractConfig, encoder: Encoder | None) -> Iterator["ClusterExecutor"]:
    """The workers of this machine or of the cluster that is there, as one place to encode.

    Raises:
        ConfigError: the encoder cannot be sent, or is too large to be sent with every task.
    """
    if encoder is None and ENCODERS.added(config.encoder):  # a worker would ask the hub for it
        encoder = load_as(config)
    sent = None if encoder is None else _pickled(encoder)
    with workers(config, own_code=sent is not None) as client:
        task = Task(
            run=uuid4().hex,
            config=config,
            encoder=sent,
            threads=max(1, usable_cores() // config.workers) if config.workers else None,
            neighbours=config.workers is not None,
        )
        try:
            yield ClusterExecutor(client, task)
        finally:
            if not task.neighbours:  # those end now
                _everywhere(client, worker.forget, task.run)


def _pickled(encoder: Encoder) -> bytes:
    instead = "save it as a folder in Hugging Face layout that all workers see, and pass its name"
    try:
        sent = bytes(cloudpickle.dumps(encoder))
    except Exception as error:  # whatever the object holds: a lock, an open file
        raise ConfigError(
            f"the encoder object cannot be sent to workers ({one_line(error)}): {instead}"
        ) from error
    if len(sent) > _ENCODER_BYTES:
        raise ConfigError(
            f"an encoder object of {len(sent) / 2**20:.1f} MiB would be sent to the workers with "
            f"each task, and may have {_ENCODER_BYTES >> 20} MiB: {instead}"
        )
    return sent


class ClusterExecutor:
    """See `Executor`."""

    notes = ()

    def __init__(self, client: Client, task: Task) -> None:
        self._client, self._task = client, task
        self._seen = time.monotonic()
        """When there was a worker last."""
        self._machine: Mapping[str, str] = {}
        """What all workers must have in common beside the settings; see `worker.machine`."""

    def settings(self, root: Path, work: Where) -> ExtractionSettings:
        """Ask every worker; see `Executor.settings`.

        Raises:
            ClusterError: two workers would make different vectors, or one sees no files, or they
                die of the encoder.
        """
        asked: dict[str, Future] = {}
        answers: dict[str, dict[str, Any]] = {}
        deaths = 0
        while not asked or len(answers) < len(asked):
            there = self._workers()
            for address in asked.keys() - there.keys():  # its task waits for it, for ever
                deaths += address not in answers
                answers.pop(address, None)
                asked.pop(address).cancel()
            if deaths >= _DEATHS:
                raise ClusterError(
                    f"{deaths} workers died while they loaded the encoder: see their logs (most "
                    "often memory: fewer workers, or --dtype bfloat16)"
                )
            for address in there.keys() - asked.keys():
                with _talking():
                    asked[address] = self._client.submit(
                        worker.describe,
                        self._task,
                        root.absolute(),
                        work.absolute(),
                        workers=[address],
                        pure=False,
                    )
            for address in asked.keys() - answers.keys():
                if asked[address].done():
                    with suppress(TimeoutError):  # it is gone, and its answer with it
                        answers[address] = self._result(asked[address], timeout=_ASK_EVERY)
            time.sleep(_LOOK_EVERY)
        (first, described), *others = sorted(answers.items())
        for address, other in others:
            told = differences(_plain(described), _plain(other))
            if told:
                raise ClusterError(
                    f"workers {first} and {address} would make different vectors "
                    f"({'; '.join(told[:3])}): give all the same versions, weights and devices"
                )
        self._machine = described["machine"]
        settings: ExtractionSettings = described["settings"]
        return settings

    def decoders(self) -> Mapping[str, str]:
        """See `Executor.decoders`."""
        if self._task.neighbours:
            return {}
        libraries = self._machine.keys() - {"device"}
        return {f"workers' {name}": self._machine[name] for name in sorted(libraries)}

    def hear(
        self, paths: Iterable[Path], known: Mapping[str, Verdict]
    ) -> Iterator[tuple[str, Verdict]]:
        """See `Executor.hear`; workers of this machine would only share its disk and cores."""
        if self._task.neighbours:
            yield from hear_in_children(paths, known)
            return
        told = None
        if known:
            with _talking():  # in a list: of a dict, dask would make one future a key
                told = self._client.scatter([dict(known)], broadcast=True, hash=False)[0]
        waiting: deque[Future] = deque()
        rest = (path.absolute() for path in paths)
        while part := list(islice(rest, _FILES)):
            with _talking():
                waiting.append(self._client.submit(worker.hear_files, part, told, pure=False))
            if len(waiting) > 4 * sum(self._workers().values()):
                yield from self._result(waiting.popleft())
        while waiting:
            yield from self._result(waiting.popleft())
        _everywhere(self._client, worker.rest)

    def encode(
        self, root: Path, settings: ExtractionSettings, writing: Writing, listener: Listener
    ) -> None:
        """See `Executor.encode`."""
        begin_encoding(writing, listener)
        plan = writing.plan
        topic = f"gensr-{self._task.run}"
        tally = _Tally(listener)
        futures: dict[int, Future] = {}
        try:
            with _talking():
                self._client.subscribe_topic(topic, tally.told)
            for shard in writing.pending:
                clips = clips_of(root.absolute(), plan.columns, shard.encode, settings.perturb)
                with _talking():
                    futures[shard.index] = self._client.submit(
                        worker.encode_shard,
                        self._task,
                        settings,
                        self._machine,
                        writing.writer,
                        shard,
                        clips,
                        [futures[index] for index in sorted(shard.after) if index in futures],
                        key=f"{topic}-{shard.index}",
                        pure=False,
                    )
            for index in self._finished(futures, tally):
                tally.reach(index, *_size(plan, plan.shards[index]))
        finally:
            with suppress(*_GONE):  # a lost cluster has nothing to cancel
                self._client.cancel(list(futures.values()))
                self._client.unsubscribe_topic(topic)

    def alone(self, clips: Clips, batching: Batching) -> NDArray[np.float32]:
        """See `Executor.alone`."""
        clips = replace(clips, root=clips.root.absolute())  # workers are in folders of their own
        with _talking():
            alone = self._client.submit(
                worker.encode_alone, self._task, clips, batching, pure=False
            )
        vectors: NDArray[np.float32] = self._result(alone)
        return vectors

    def _finished(self, futures: dict[int, Future], tally: "_Tally") -> Iterator[int]:
        """Yield the shards as they are done, and pass on meanwhile how far the others are.

        A future is let go of when it is done: dask would run the task again to have its result
        back from a worker that dies later.
        """
        with _talking():
            done = as_completed(list(futures.values()), loop=self._client.loop)
        last = time.monotonic()
        while futures:
            with _talking():
                batch = done.next_batch(block=False)
            for future in batch:
                index = self._result(future)
                del futures[index]
                yield index
            tally.pass_on()
            time.sleep(_LOOK_EVERY)
            if time.monotonic() - last > _ASK_EVERY:
                last = time.monotonic()
                self._workers()

    def _workers(self) -> dict[str, int]:
        """Return the threads of each worker there is.

        Raises:
            ClusterError: the scheduler is gone, or there has been no worker for too long.
        """
        try:
            found: dict[str, int] = self._client.nthreads()
        except _GONE as error:
            raise _lost(error) from None
        if found:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _PATIENCE:
            raise ClusterError(
                f"the cluster has had no worker for {_PATIENCE / 60:.0f} minutes; finished shards "
                "are kept, the same call again goes on"
            )
        return found

    def _result(self, future: Future, timeout: float | None = None) -> Any:
        """Wait for a task as long as there is someone to do it.

        Args:
            future: the task.
            timeout: seconds for its result to arrive once it is done.

        Raises:
            TimeoutError: it does not arrive in time.
            GensrError: what the task raised, as it would have been raised here.
            ClusterError: the task was lost with its workers, or failed in a way that no one
                has foreseen; then its cause is the worker's exception, with its traceback.
        """
        while not future.done():
            if timeout is not None:  # it was done, and was lost
                raise TimeoutError
            try:
                with self._client.as_current():
                    wait([future], timeout=_ASK_EVERY)
            except TimeoutError:
                self._workers()
            except (CancelledError, *_GONE) as error:
                raise _lost(error) from None
        try:
            return future.result(timeout)
        except GensrError:
            raise
        except KilledWorker as error:
            raise ClusterError(
                f"{error.allowed_failures + 1} workers died on one task ({error.task}): see their "
                "logs (most often memory: smaller --batch-seconds); finished shards are kept"
            ) from None
        except Exception as error:
            if future.status != "error":
                if timeout is not None and isinstance(error, TimeoutError):
                    raise
                if isinstance(error, (CancelledError, *_GONE)):
                    raise _lost(error) from None
                raise
            where = "the same call again goes on"
            if not isinstance(error, (OSError, ImportError)):  # no fault of its machine
                where = "the worker's log, or the same call without workers, shows where"
            raise ClusterError(
                f"a worker failed ({type(error).__name__}: {one_line(error)}); finished shards "
                f"are kept; {where}"
            ) from error


class _Tally:
    """What workers tell, added up: a shard that is begun anew does not count twice."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._reached: dict[int, tuple[int, float]] = {}
        self._told: SimpleQueue[tuple[int, int, float]] = SimpleQueue()

    def told(self, event: tuple[float, tuple[int, int, float]]) -> None:
        """Take a worker's word; called in a thread of the client."""
        self._told.put(event[1])

    def pass_on(self) -> None:
        """Tell whoever listens, from the thread that waits."""
        while not self._told.empty():
            self.reach(*self._told.get())

    def reach(self, shard: int, clips: int, seconds: float) -> None:
        """A shard is so far, counted from its start."""
        clips_before, seconds_before = self._reached.get(shard, (0, 0.0))
        if clips > clips_before or seconds > seconds_before:
            self._reached[shard] = (clips, seconds)
            self._listener.advance(clips - clips_before, seconds - seconds_before)


def _plain(described: Mapping[str, Any]) -> dict[str, Any]:
    return {**described, "settings": described["settings"].as_plain()}


def _everywhere(client: Client, task: Callable[..., None], *arguments: object) -> None:
    """Have every worker do something small, in a thread of its own; nobody waits for it."""
    with suppress(*_GONE):
        there = client.nthreads() if client.status == "running" else {}
        for address in there:
            fire_and_forget(client.submit(task, *arguments, workers=[address], pure=False))


def _size(plan: Plan, shard: Shard) -> tuple[int, float]:
    samples = plan.columns["samples"][list(shard.encode)]
    return len(shard.encode), float(samples.sum()) / SAMPLE_RATE


@contextmanager
def _talking() -> Iterator[None]:
    """Tell a cluster that is gone in one line; what a task raised is not asked for in here."""
    try:
        yield
    except _GONE as error:
        raise _lost(error) from None


def _lost(error: BaseException) -> ClusterError:
    return ClusterError(
        f"the cluster was lost ({one_line(error)}); finished shards are kept, the same call again "
        "goes on"
    )
