"""What a worker of a cluster does: hear files, encode a shard and write it, encode clips alone.

Plain functions of picklable arguments, run by dask.distributed in processes that may be on
other machines. A worker writes its shard itself, so no vector passes through the scheduler; it
refuses to where its encoder is not, to the version of every library, the one the store is for.
"""

import gc
import pickle
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from distributed import get_worker
from numpy.typing import NDArray

from gensr.features.encoders import Encoder
from gensr.features.encoding.encode import Clips, encode_clips
from gensr.features.encoding.windows import Batching
from gensr.features.hearing.decoders import shared_decoders
from gensr.features.hearing.survey import hear_in_children
from gensr.features.hearing.verdict import Verdict, decoder_versions
from gensr.features.same_encoder import differences
from gensr.features.store.plan import Shard
from gensr.features.store.shard_writer import ShardWriter
from gensr.pipeline.extraction.config import ExtractConfig
from gensr.pipeline.extraction.errors import ClusterError
from gensr.pipeline.extraction.local import load_as
from gensr.pipeline.extraction.settings import ExtractionSettings, settings_of

_LOADING = threading.Lock()
_ENCODING = threading.Lock()
"""One thread in the encoder; meanwhile another reads the first batches of the next shard, or
writes the last one."""
_loaded: dict[str, Encoder] = {}
"""The encoder of the extraction that had a task here last, by the extraction's name."""
_TELL_EVERY = 0.5
"""Seconds between two words of progress from one shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What every task of an extraction is given, beside its clips."""

    run: str
    """Names the extraction: its encoder is loaded anew, as weights may have changed since."""
    config: ExtractConfig = field(compare=False)
    encoder: bytes | None = field(default=None, compare=False, repr=False)
    """Used instead of the one that `config` names, pickled: so that a worker which cannot load it
    says so, as bytes always arrive."""
    threads: int | None = field(default=None, compare=False)
    """Threads of the encoder on a CPU; None: as many as the worker has."""
    neighbours: bool = field(default=False, compare=False)
    """Workers share this machine, and take its GPUs in turn."""


def describe(task: Task, root: Path, work: Path) -> dict[str, Any]:
    """Load the encoder; return the settings it leads to, and what the machine adds to them.

    Raises:
        ClusterError: this worker does not see the corpus, or the place of the store.
    """
    for path in (root, work):
        if not path.exists():
            raise ClusterError(
                f"worker {_name()} does not see {path}: corpus and store must lie on a file "
                "system that all workers share, under the same path"
            )
    encoder = _encoder(task)
    return {"settings": settings_of(encoder, task.config), "machine": machine(encoder)}


def machine(encoder: Encoder) -> dict[str, str]:
    """Return what the vectors depend on and a store does not name: workers must be alike in it.

    A clip that is decoded otherwise than where it was heard would stop the extraction later.
    """
    return {"device": encoder.device, **decoder_versions()}


def hear_files(
    paths: Sequence[Path], known: Mapping[str, Verdict] | None
) -> list[tuple[str, Verdict]]:
    """Hash and decode files; in child processes of the worker, as everywhere."""
    return list(hear_in_children(paths, known or {}, rest=False))


def rest() -> None:
    """End the processes that files were decoded in: all are heard."""
    shared_decoders().rest()


def forget(run: str) -> None:
    """Let go of an extraction's encoder: it is over, and its memory may be wanted."""
    with _LOADING:
        there = _loaded.pop(run, None) is not None
    if there and "torch" in sys.modules:
        import torch

        gc.collect()
        torch.cuda.empty_cache()  # nothing, where no GPU was used


def encode_shard(
    task: Task,
    settings: ExtractionSettings,
    others: Mapping[str, str],
    writer: ShardWriter,
    shard: Shard,
    clips: Clips,
    needs: Sequence[int],
) -> int:
    """Encode one shard, write it, mark it as done; progress goes to the topic `gensr-<run>`.

    dask runs a task again when it is not sure of it; a shard that is finished stays as it is.

    Args:
        task: of which extraction.
        settings: what it must lead to.
        others: the other workers' `machine`.
        writer: puts the shard in its place.
        shard: its rows.
        clips: the audio of `shard.encode`.
        needs: shards that this one copies from; given, they are done.

    Returns:
        The shard's index.
    """
    if writer.is_finished(shard):
        return shard.index
    encoder = _encoder(task)
    told = differences(
        {**settings.as_plain(), **others},
        {**settings_of(encoder, task.config).as_plain(), **machine(encoder)},
    )
    if told:
        raise ClusterError(
            f"worker {_name()} would make other vectors ({'; '.join(told[:3])}): "
            "give all workers the same versions, weights and devices"
        )
    progress = _telling(f"gensr-{task.run}", shard.index)
    (vectors,) = encode_clips([clips], encoder, settings.batching, progress, gate=_ENCODING)
    writer.write(shard, dict(zip(shard.encode, vectors, strict=True)))
    return shard.index


def encode_alone(task: Task, clips: Clips, batching: Batching) -> NDArray[np.float32]:
    """Encode clips as `batching` says, and hand the vectors back."""
    (vectors,) = encode_clips([clips], _encoder(task), batching, gate=_ENCODING)
    return vectors


def _telling(topic: str, shard: int) -> Callable[[int, float], None]:
    clips, seconds, last = 0, 0.0, time.monotonic()

    def tell(more: int, audio: float) -> None:
        nonlocal clips, seconds, last
        clips, seconds = clips + more, seconds + audio
        if time.monotonic() - last > _TELL_EVERY:
            last = time.monotonic()
            get_worker().log_event(topic, (shard, clips, seconds))

    return tell


def _encoder(task: Task) -> Encoder:
    """Return the encoder, loaded once for each extraction in the life of a worker."""
    with _LOADING:
        if task.run not in _loaded:
            _loaded.clear()  # before another is loaded: two may not fit on a GPU
            _loaded[task.run] = _named(task) if task.encoder is None else _sent(task, task.encoder)
        return _loaded[task.run]


def _sent(task: Task, pickled: bytes) -> Encoder:
    encoder: Encoder = pickle.loads(pickled)  # noqa: S301  from the client, as all code is
    if "torch" in sys.modules:  # it brought it along
        _set_threads(task)
    return encoder


def _named(task: Task) -> Encoder:
    import torch

    _set_threads(task)
    device = task.config.device
    count = torch.cuda.device_count()
    if task.neighbours and device in ("auto", "cuda") and count > 1:
        device = f"cuda:{int(get_worker().name) % count}"
    return load_as(task.config, device)


def _set_threads(task: Task) -> None:
    import torch

    torch.set_num_threads(task.threads or get_worker().state.nthreads)


def _name() -> str:
    worker = get_worker()
    return f"{worker.name} ({worker.address})"
