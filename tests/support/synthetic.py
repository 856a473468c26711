"""Stores made without audio or encoder: a table said outright, vectors made of a name."""

import hashlib
from contextlib import contextmanager

import numpy as np

from gensr.features.store import schema
from gensr.features.store.job import open_job
from gensr.features.store.plan import plan_of
from gensr.features.store.settings import Settings
from gensr.features.store.table import as_column

LAYERS = ("layer_0", "x1")
WIDTH = 3


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def vector(audio):
    """What the recording of that name gives: float32 (layers, width)."""
    seed = int(sha(audio)[:8], 16)
    return np.random.default_rng(seed).normal(size=(len(LAYERS), WIDTH)).astype(np.float32)


def clip(path, audio=None, **columns):
    """A row: its labels, and the name of its recording."""
    return {"path": path, "corpus": "made", "audio": audio or path, **columns}


def clips(names, **columns):
    return [clip(f"{name}.wav", **columns) for name in names]


def table(rows, base=None):
    """The clip table of rows, after those of a store that is added to."""
    for_all = dict.fromkeys(name for row in rows for name in row if name != "audio")
    names = [*schema.COLUMN_DTYPES, *(name for name in for_all if name not in schema.COLUMN_DTYPES)]
    found = {}
    for name in names:
        values = [_value(row, name) for row in rows]
        found[name] = as_column(values, schema.COLUMN_DTYPES.get(name, "string"))
        if base is not None:
            found[name] = np.concatenate([base[name], found[name]])
    found["row"] = np.arange(len(found["path"]), dtype=np.int64)
    return found


def _value(row, name):
    made = {
        "row": 0,
        "seconds": 1.0,
        "samples": 16_000,
        "audio_sha256": sha(row["audio"]),
        "file_sha256": sha("file " + row["audio"]),
    }
    return row.get(name, made.get(name, ""))


def plan(rows, *, base=None, dtype="float32", shard_clips=4, encoder="made", failed=()):
    columns = table(rows, None if base is None else base.table)
    settings = Settings(
        encoder={"name": encoder},
        layers=LAYERS,
        width=WIDTH,
        preprocessing={"sample_rate": 16_000},
        shard_clips=shard_clips,
        dtype=dtype,
    )
    kept = {
        "path": as_column([path for path, _ in failed], "string"),
        "reason": as_column([reason for _, reason in failed], "string"),
    }
    return plan_of(settings, columns, kept, None if base is None else base.table)


def encoded(rows, shard, scale=1.0, before=0):
    """Vectors of the rows that a shard has to encode; `before` rows are the base's."""
    return {row: scale * vector(rows[row - before]["audio"]) for row in shard.encode}


@contextmanager
def started(out, rows, *, overwrite=False, **options):
    """Yield (what writes it, its plan), begun, nothing written yet."""
    with open_job(out, overwrite=overwrite) as job:
        made = plan(rows, base=job.base, **options)
        job.agree(made.settings)
        yield job.start(made), made


def make(out, rows, *, verification=None, **options):
    """Write a store of these rows, or add them to the one that is there."""
    with started(out, rows, **options) as (job, planned):
        before = planned.header.clips - len(rows)
        for shard in job.pending:
            job.writer.write(shard, encoded(rows, shard, before=before))
        job.commit(verification=verification)
    return out
