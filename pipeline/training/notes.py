"""What is worth knowing of a training, one line each, the gravest first."""

from collections.abc import Sequence

import numpy as np

from gensr.pipeline.lint.findings import TEST_SET, Findings
from gensr.pipeline.protocols.protocol import Fold, Protocol
from gensr.pipeline.runs.provenance import perturbed_line
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.enrolment import note_of
from gensr.pipeline.training.vectors import Vectors


def notes_on(
    protocol: Protocol,
    vectors: Vectors,
    folds: Sequence[Fold],
    config: TrainConfig,
    checked: Findings,
) -> tuple[str, ...]:
    """All of them but the leaks, which are said before anything else."""
    worse = perturbed_line(zip(map(str, vectors.places), vectors.perturbed, strict=True))
    smaller = (one.line for one in checked.findings if one.kind == TEST_SET)
    others = protocol.notes()[len(protocol.leaks) :]  # those have been said, or come before these
    notes = [*smaller, *others, *filter(None, [worse]), *vectors.notes]
    notes += filter(None, [note_of(config.enrol_clips if config.enrol else 0)])
    notes += [one.line for one in checked.findings if one.kind == "shortcut"]
    audio = vectors.table["audio_sha256"][protocol.store_rows]
    repeats = len(audio) - len(np.unique(audio))
    if repeats:
        notes.append(f"clips whose audio is another clip's too: {repeats}; each counts on its own")
    missing = ", ".join(fold.name for fold in folds if not len(fold.dev))
    if config.choose != "beforehand" and missing:
        notes.append(f"no development part in fold {missing}: steps are the budget's")
    if config.calibrate and missing:
        notes.append(f"no development part in fold {missing}: no dev scores, so no temperature")
    return tuple(notes)


def read_again(shard: int, block: int) -> tuple[str, ...]:
    """What streaming costs where shards are larger than blocks."""
    if shard <= block:
        return ()
    return (
        f"streamed: a shard of {shard} clips was read for every block of {block}; [training] "
        f"block = {shard} reads each once an epoch (another order, so another run)",
    )
