"""The question of a run, asked of the clips of its stores once more."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from gensr.estimator.errors import RunError
from gensr.pipeline.protocols.bound import bound
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.run import Run


def as_before(protocol: Protocol) -> bool:
    """Whether a version up to 0.2 asked it: it split several corpora as if they were one."""
    return len(protocol.corpora) > 1 and not protocol.roles


def question_of(run: Run, table: Mapping[str, NDArray[Any]]) -> Protocol:
    """The protocol of a run on the rows of its stores.

    Args:
        run: finished or not.
        table: columns of the clips of its stores.

    Raises:
        RunError: labels, speakers or splits were changed since the run was begun.
    """
    kept, config = run.protocol, run.config
    if kept.parts:  # it follows from a file or a column, which may be gone: the run has its folds
        made = bound(kept, table)
    else:
        made = make_protocol(
            table,
            name=kept.name,  # a later version may have another default
            label=config.label,
            labels=config.labels,
            seed=config.split_seed,
            deploy=config.deployed,
            allow_leaks=True,  # they were, or were not refused yet
            as_before=as_before(kept),
        )
    if made.hash != run.manifest.protocol_hash:
        raise RunError(
            f"{run.folder}: the labels or splits of its store were changed since it was "
            "trained; train again, or extract the labels it was trained with"
        )
    return made
