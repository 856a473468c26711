"""`--verify K`: some clips encoded once more, alone, and compared with what was stored.

Padding that leaks, a mask that a new version of a library drops, a kernel that rounds
otherwise: whatever batching does to a vector shows here, on the user's own clips, machine and
versions, before the store is committed.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.features.corpora import Scan
from gensr.features.encoders import BOUNDS
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoding.encode import clips_of
from gensr.features.encoding.windows import Batching
from gensr.features.store.plan import Plan
from gensr.features.store.settings import Settings
from gensr.features.store.writing import Writing
from gensr.pipeline.extraction.executor import Executor
from gensr.pipeline.extraction.settings import ExtractionSettings
from gensr.pipeline.progress import Listener

_HALF = 1e-3
"""Relative; storing float16 rounds each value by up to 2^-11, on both sides of the comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What re-running clips alone has shown."""

    clips: int
    """Clips that were run again."""
    batches: int
    """Batches of the whole extraction; 0 where an earlier one had encoded all clips."""
    error: float
    """Largest |stored - alone| / |alone| over clips and layers (Euclidean norms)."""
    layer: str
    """The layer it was found in."""
    bound: float
    """What the error may be in this precision."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the store's header keeps it."""
        return asdict(self)


def verify(
    found: Scan,
    settings: ExtractionSettings,
    writing: Writing,
    executor: Executor,
    count: int,
    listener: Listener,
) -> Verification:
    """Compare clips of the store, finished and not yet committed, with themselves alone.

    Clips that this extraction has encoded, or, where there was nothing to encode, any clips of
    the corpus that the store holds.

    Args:
        found: the corpus.
        settings: what vectors and batches follow from.
        writing: its store, every shard finished.
        executor: runs the encoder.
        count: how many clips; from the shortest to the longest, evenly by rank.
        listener: told of a stage `verify`.

    Raises:
        EncoderError: the largest error is above the bound of the precision.
    """
    plan = writing.plan
    encoded = [row for shard in plan.shards for row in shard.encode]
    rows = chosen(plan.columns["samples"], encoded or _present(found, plan), count)
    clips = clips_of(found.root, plan.columns, rows, settings.perturb)
    listener.stage("verify", len(rows), clips.seconds)
    single = replace(settings.batching, batch_samples=1)  # one window a batch
    alone = executor.alone(clips, single)
    listener.advance(len(rows), clips.seconds)
    errors = relative_errors(writing.stored(rows), alone)
    clip, layer = (int(index) for index in np.unravel_index(errors.argmax(), errors.shape))
    bound = _bound(settings)
    result = Verification(
        clips=len(rows),
        batches=_batches(plan, settings.batching),
        error=float(errors.max()),
        layer=plan.header.layers[layer],
        bound=bound,
    )
    if not result.error <= bound:
        raise EncoderError(
            f"verification failed: {clips.paths[clip]}, layer {result.layer}, differs by "
            f"{result.error:.1e} from the same clip encoded alone, above {bound:.0e}; the store is "
            "not committed. Pass --batch-seconds 0.1 for clips one by one with --overwrite, and "
            "report the encoder and the versions"
        )
    return result


def chosen(samples: NDArray[np.int64], rows: list[int], count: int) -> list[int]:
    """Return up to `count` of the rows, evenly by length from the shortest to the longest.

    >>> chosen(np.array([5, 3, 9, 7]), [0, 1, 2, 3], 3)
    [1, 3, 2]
    """
    ordered = sorted(rows, key=lambda row: (samples[row], row))
    ranks = np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int)
    return [ordered[rank] for rank in ranks]


def relative_errors(found: NDArray[np.float32], alone: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return |found - alone| / |alone|, (clips, layers, width) -> (clips, layers)."""
    exact = alone.astype(np.float64)
    difference = np.linalg.norm(found.astype(np.float64) - exact, axis=-1)
    scale = np.linalg.norm(exact, axis=-1)
    errors = np.where(difference > 0, np.inf, 0.0)  # where alone is all zeros
    np.divide(difference, scale, out=errors, where=scale > 0)
    return errors


def _batches(plan: Plan, batching: Batching) -> int:
    """Count the batches of all that is encoded under this plan."""
    samples = plan.columns["samples"]
    return sum(len(batching.plan(samples[list(shard.encode)].tolist())) for shard in plan.shards)


def _present(found: Scan, plan: Plan) -> list[int]:
    """Return the rows whose files are in the corpus; a store may hold other corpora too."""
    there = {clip.path for clip in found.clips}
    return [row for row, path in enumerate(plan.columns["path"].tolist()) if path in there]


def _bound(settings: Settings) -> float:
    """Return what an error may be; by the settings, as the encoder may be on another machine."""
    said = str(settings.encoder.get("dtype"))  # an encoder of one's own may say anything
    bound = BOUNDS.get(said, BOUNDS["float32"])
    return bound + (_HALF if settings.dtype == "float16" else 0.0)
