"""One rule for all who compare encoders: what makes them one, and which difference comes first."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensr.features.same_encoder import differences

WHISPER = {
    "family": "whisper",
    "name": "whisper-base-encoder",
    "revision": None,
    "weights_sha256": "a" * 64,
    "config_sha256": "b" * 64,
    "dtype": "float32",
    "context": "full",
    "max_seconds": 30.0,
    "x1": "last_hidden_state",
    "preprocessing": {"resampling": "ours", "normalisation": "none (preprocessor_config.json)"},
    "libraries": {"torch": "2", "transformers": "5"},
}
FBANK = {
    "family": "fbank",
    "name": "fbank",
    "revision": None,
    "weights_sha256": None,
    "dtype": "float32",
    "context": "clip",
    "libraries": {"torch": "2"},
}


def settings_of(encoder, **more):
    return {"encoder": encoder, "layers": ["0", "last"], "width": 4, "dtype": "float32"} | more


def told(encoder, other, **options):
    return differences(settings_of(encoder), settings_of(other), **options)


def test_a_name_a_revision_and_a_source_do_not_make_an_encoder():
    hub = WHISPER | {"name": "openai/whisper-base", "revision": "c" * 40}
    hub["preprocessing"] = {"resampling": "ours", "normalisation": "none (processor_config.json)"}
    assert told(WHISPER, hub) == told(hub, WHISPER) == []


def test_without_a_hash_they_do():
    assert told(FBANK, FBANK | {"name": "mine"}) == ["encoder: 'fbank' there, 'mine' here"]
    assert told(FBANK, FBANK | {"revision": "r2"}) == ["encoder.revision: None there, 'r2' here"]
    half = WHISPER | {"config_sha256": None, "name": "moved"}
    assert told(half, half | {"name": "other"})


def test_another_encoder_is_one_difference():
    said = "encoder: 'whisper-base-encoder' (whisper) in a.zarr, 'fbank' in b.zarr"
    other = settings_of(FBANK, layers=["x"], width=80)
    assert differences(settings_of(WHISPER), other, names=("in a.zarr", "in b.zarr")) == [said]
    later = settings_of(FBANK, shard_clips=5)
    found = differences(settings_of(WHISPER, shard_clips=4), later)
    assert [line.split(":")[0] for line in found] == ["encoder", "shard_clips"]


ORDERED = [
    ("weights_sha256", "d" * 64),
    ("config_sha256", "d" * 64),
    ("dtype", "bfloat16"),
    ("context", "clip"),
    ("max_seconds", 10.0),
    ("x1", "other"),
    ("preprocessing", {"resampling": "ours", "normalisation": "zero mean (assumed)"}),
    ("libraries", {"torch": "3", "transformers": "5"}),
]


@given(st.sets(st.sampled_from(range(len(ORDERED))), min_size=1), st.randoms())
def test_differences_come_in_the_order_a_person_asks(chosen, rng: random.Random):
    changed = dict(ORDERED[place] for place in chosen)
    items = list((WHISPER | changed).items())
    rng.shuffle(items)
    found = told(WHISPER, dict(items))
    names = [line.split(":")[0].split(".")[1] for line in found]
    assert names == [ORDERED[place][0] for place in sorted(chosen)]


def test_versions_of_libraries_count_where_every_bit_does():
    newer = WHISPER | {"libraries": {"torch": "3", "transformers": "5"}}
    assert told(WHISPER, newer) == ["encoder.libraries.torch: '2' there, '3' here"]
    assert told(WHISPER, newer, exact=False) == []


def test_a_hash_is_shown_short():
    (line,) = told(WHISPER, WHISPER | {"weights_sha256": "c" * 64})
    assert line == "encoder.weights_sha256: aaaaaaaaaaaa... there, cccccccccccc... here"


@pytest.mark.parametrize("key", ["shard_clips", "width", "dtype"])
def test_other_settings_are_named_as_they_are(key):
    assert differences({key: 4}, {key: 5}) == [f"{key}: 4 there, 5 here"]
    assert differences({key: 4}, {}) == [f"{key}: 4 there, absent here"]
