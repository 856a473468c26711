"""Small audformat databases, as the library of that name writes them, and how they are read."""

import audformat
import numpy as np
import pytest

from gensr.features.corpora.errors import CorpusError
from gensr.features.store import open_store
from gensr.pipeline.importing.database import read_database
from gensr.pipeline.importing.header import header_at
from gensr.pipeline.importing.importing import ImportConfig, import_features

FILES = [f"wav/{name}.wav" for name in "abcd"]
EMOTIONS = ["anger", "boredom", "anger", "boredom"]
SPEAKERS = [3, 8, 3, 8]
PEOPLE = {3: {"gender": "male", "age": 31}, 8: {"gender": "female", "age": 34}}
KNOWN = ("speaker", "gender", "emotion", "split")


def empty():
    db = audformat.Database("mine")
    db.schemes["emotion"] = audformat.Scheme(labels=["anger", "boredom", "neutral"])
    return db


def database():
    """Emotions in one table, speakers in another, genders under the speakers."""
    db = empty()
    db.schemes["speaker"] = audformat.Scheme(labels=PEOPLE)
    db.schemes["confidence"] = audformat.Scheme("float")
    add(db, "emotion", emotion=("emotion", EMOTIONS), sure=("confidence", [0.9, 0.8, 0.7, 1.0]))
    add(db, "files", speaker=("speaker", SPEAKERS))
    return db


def add(db, table, index=None, of_split=None, **columns):
    index = audformat.filewise_index(FILES) if index is None else index
    db[table] = audformat.Table(index, split_id=of_split)
    for name, (scheme, values) in columns.items():
        db[table][name] = audformat.Column(scheme_id=scheme)
        db[table][name].set(values)
    return db


def with_vectors(db, folder, index=None, kind="csv"):
    index = audformat.filewise_index(FILES) if index is None else index
    values = np.arange(2 * len(index)).reshape(len(index), 2) + 0.5
    add(db, "egemaps", index, f0=(None, values[:, 0]), f1=(None, values[:, 1]))
    db.save(str(folder), storage_format=kind)
    return folder


def told(db, folder, kind="csv"):
    """By utterance what is said of it, and the notes."""
    db.save(str(folder), storage_format=kind)
    return read(folder)


def read(folder):
    found = read_database(header_at(folder))
    return {
        clip.path: {name: getattr(clip, name) for name in KNOWN} | dict(clip.extra)
        for clip in found.clips
    }, found.notes


def refused(db, folder):
    db.save(str(folder), storage_format="csv")
    with pytest.raises(CorpusError) as error:
        read(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def imported(place, out, **settings):
    report = import_features(place, out, ImportConfig(**settings))
    with open_store(out) as store:
        return report, {name: column.tolist() for name, column in store.table.items()}
