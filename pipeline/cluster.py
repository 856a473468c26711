"""Encoding by the workers of a dask.distributed cluster: processes here, or machines anywhere.

dask decides which worker encodes which shard, and gives the shards of a worker that died to
another. What makes that safe is not here but in the store: one writer a shard, which appears
whole or not at all, and batches that follow from the plan.

    client (holds the lock, plans, commits)  -- one task a shard -->  workers (encode, write, mark)
"""

import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import ClusterError, ConfigError, GensrError
from gensr.features.audio import SAMPLE_RATE
from gensr.features.encoders import Encoder
from gensr.features.encoding import Clips, clips_of
from gensr.features.store.job import Job
from gensr.features.store.open import work_folder
from gensr.features.store.plan import Plan, Shard, differences
from gensr.features.survey import hear_in_children
from gensr.features.verdict import Verdict
from gensr.features.windows import Batching
from gensr.pipeline.extract_config import ExtractConfig
from gensr.pipeline.here import begin_encoding
from gensr.pipeline.progress import Hears

try:
    import cloudpickle
    from distributed import Client, Future, LocalCluster, as_completed, wait
    from distributed.scheduler import KilledWorker

    from gensr.pipeline import worker
    from gensr.pipeline.worker import Duty
except ModuleNotFoundError as error:
    raise ConfigError(
        f"--workers and --cluster need dask.distributed ({error}): pip install 'gensr[cluster]'"
    ) from None

_ANSWER = 10.0
"""Seconds that a scheduler may take to answer."""
_PATIENCE = 600.0
"""Seconds without any worker before an extraction gives up; queues of clusters are slow."""
_LOOK_EVERY = 0.1
_FILES = 32
"""Files of one task while files are heard."""


@contextmanager
def on_cluster(config: ExtractConfig, encoder: Encoder | None) -> Iterator["OnCluster"]:
    """Start workers on this machine, or join the cluster that is there.

    Raises:
        ClusterError: no scheduler answers, or it has no workers.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is raised
    given = None if encoder is None else cloudpickle.dumps(encoder)
    if config.workers is not None:
        cores = os.cpu_count() or 1
        duty = Duty(
            config=config,
            encoder=given,
            threads=max(1, cores // config.workers),
            neighbours=True,
        )
        with (
            LocalCluster(
                n_workers=config.workers,
                threads_per_worker=2,  # one encodes, the other writes
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # any port that is free
                memory_limit=0,  # batches bound it; dask would kill a worker for its model
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield OnCluster(client, duty)
        return
    try:
        client = Client(config.cluster, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"no dask scheduler answers at {config.cluster} ({_words(error)}); start one with "
            "`dask scheduler`, and workers with `dask worker`"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_ANSWER)
        except TimeoutError:
            raise ClusterError(
                f"the cluster at {config.cluster} has no worker; start some with "
                f"`dask worker {config.cluster}`"
            ) from None
        _same_gensr(client)
        yield OnCluster(client, Duty(config=config, encoder=given))


def _same_gensr(client: Client) -> None:
    """Refuse workers with another gensr, or none: asked by a function that every Python has.

    Raises:
        ClusterError: naming the worker and both versions.
    """
    own = version("gensr")
    for address, found in client.run(version, "gensr", on_error="return").items():
        if found != own:
            what = f"gensr {found}" if isinstance(found, str) else "no gensr"
            raise ClusterError(
                f"worker {address} has {what}, this is gensr {own}: install the same on all"
            )


class OnCluster:
    """See `Site`."""

    def __init__(self, client: Client, duty: Duty) -> None:
        self._client, self._duty = client, duty
        self._seen = time.monotonic()
        """When there was a worker last."""

    def settings(self, root: Path, job: Job) -> dict[str, Any]:
        """Ask every worker; see `Site.settings`.

        Raises:
            ClusterError: two workers would make different vectors, or one sees no files.
        """
        asked = {
            address: self._client.submit(
                worker.describe,
                self._duty,
                root.absolute(),
                work_folder(job.out).absolute(),
                workers=[address],
                pure=False,
            )
            for address in self._workers()
        }
        answers = {address: self._result(future) for address, future in asked.items()}
        (first, settings), *others = answers.items()
        for address, other in others:
            told = differences(settings, other)
            if told:
                raise ClusterError(
                    f"workers {first} and {address} would make different vectors "
                    f"({'; '.join(told[:3])}): install the same versions and weights on all"
                )
        return dict(settings)

    def hear(
        self, paths: Iterable[Path], known: Mapping[str, Verdict]
    ) -> Iterator[tuple[str, Verdict]]:
        """See `Site.hear`; workers of this machine would only share its disk and cores."""
        if self._duty.neighbours:
            yield from hear_in_children(paths, known)
            return
        told = self._client.scatter(dict(known), broadcast=True, hash=False) if known else None
        waiting: deque[Future] = deque()
        rest = (path.absolute() for path in paths)
        while part := list(islice(rest, _FILES)):
            waiting.append(self._client.submit(worker.hear_files, part, told, pure=False))
            if len(waiting) > 4 * sum(self._workers().values()):
                yield from self._result(waiting.popleft())
        while waiting:
            yield from self._result(waiting.popleft())

    def encode(self, root: Path, job: Job, plan: Plan, hears: Hears) -> None:
        """See `Site.encode`."""
        begin_encoding(job, plan, hears)
        topic = f"gensr-{uuid4().hex}"
        progress = _Progress(hears)
        self._client.subscribe_topic(topic, progress.told)
        futures: dict[int, Future] = {}
        for shard in job.pending:
            clips = clips_of(root.absolute(), plan.columns, shard.encode)
            needs = [futures[index] for index in sorted(shard.after) if index in futures]
            futures[shard.index] = self._client.submit(
                worker.encode_shard,
                self._duty,
                plan.settings,
                job.writer,
                shard,
                clips,
                needs,
                topic,
                key=f"{topic}-{shard.index}",
                pure=False,
            )
        totals = {shard.index: _size(plan, shard) for shard in job.pending}
        try:
            for index in self._finished(futures.values(), progress):
                progress.reach(index, *totals[index])
        finally:
            with suppress(OSError):  # a lost cluster has nothing to cancel
                self._client.cancel(list(futures.values()))
                self._client.unsubscribe_topic(topic)

    def alone(self, clips: Clips, batching: Batching) -> NDArray[np.float32]:
        """See `Site.alone`."""
        vectors: NDArray[np.float32] = self._result(
            self._client.submit(worker.encode_alone, self._duty, clips, batching, pure=False)
        )
        return vectors

    def _finished(self, futures: Iterable[Future], progress: "_Progress") -> Iterator[int]:
        """Yield the shards as they are done, and pass on meanwhile how far the others are."""
        left = list(futures)
        done = as_completed(left, loop=self._client.loop)
        count = len(left)
        while count:
            for future in done.next_batch(block=False):
                count -= 1
                yield self._result(future)
            progress.pass_on()
            time.sleep(_LOOK_EVERY)
            self._workers()

    def _workers(self) -> dict[str, int]:
        """Return the threads of each worker there is.

        Raises:
            ClusterError: the scheduler is gone, or there has been no worker for too long.
        """
        try:
            found: dict[str, int] = self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise _lost(error) from None
        if found:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _PATIENCE:
            raise ClusterError(
                f"the cluster has had no worker for {_PATIENCE / 60:.0f} minutes; finished shards "
                "are kept, the same call again goes on"
            )
        return found

    def _result(self, future: Future) -> Any:
        """Wait for a task as long as there is someone to do it.

        Raises:
            GensrError: what the task raised, as it would have been raised here.
            ClusterError: the task was lost with its workers.
        """
        while not future.done():
            try:
                with self._client.as_current():
                    wait([future], timeout=_LOOK_EVERY * 10)
            except TimeoutError:
                self._workers()
        try:
            return future.result()
        except GensrError:
            raise
        except KilledWorker as error:
            raise ClusterError(
                f"{error.allowed_failures + 1} workers died on one task ({error.task}): see their "
                "logs (most often memory: smaller --batch-seconds); finished shards are kept"
            ) from None
        except (TimeoutError, OSError, CancelledError) as error:
            raise _lost(error) from None


class _Progress:
    """What workers tell, added up: a shard that is begun anew does not count twice."""

    def __init__(self, hears: Hears) -> None:
        self._hears = hears
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
            self._hears.advance(clips - clips_before, seconds - seconds_before)


def _size(plan: Plan, shard: Shard) -> tuple[int, float]:
    samples = plan.columns["samples"][list(shard.encode)]
    return len(shard.encode), float(samples.sum()) / SAMPLE_RATE


def _lost(error: BaseException) -> ClusterError:
    return ClusterError(
        f"the cluster was lost ({_words(error)}); finished shards are kept, the same call again "
        "goes on"
    )


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
