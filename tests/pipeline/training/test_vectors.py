"""Stores as one array: rows, layers and names stay together, and unlike ones are not mixed."""

import numpy as np
import pytest

from gensr.estimator.errors import ConfigError
from gensr.features.encoders import Encoder
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.training.vectors import check_same_encoder
from support import tones
from support.loaded import load_vectors


class Stub(Encoder):
    name = "stub"
    layers = ("a", "b", "x1")
    width = 2
    equal_lengths = False

    def __init__(self, **about):
        self.about = {"name": "stub", "family": "stub", **about}

    def _encode(self, waveforms):
        return np.array([[[wave.std(), k] for k in range(3)] for wave in waveforms], np.float32)

    def provenance(self):
        return self.about


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return tones.write_corpus(tmp_path_factory.mktemp("small") / "c", sentences=1)


@pytest.fixture
def stub_store(small, tmp_path):
    def make(file, **about):
        extract(small, tmp_path / file, ExtractConfig(), encoder=Stub(**about))
        return tmp_path / file

    return make


def test_one_store_is_read_as_it_is(store):
    vectors = load_vectors([store])
    with open_store(store) as opened:
        np.testing.assert_array_equal(vectors.x, opened.vectors())
        assert vectors.layers == opened.layers
        assert vectors.hashes == (opened.fingerprint(),)
        assert vectors.encoder == opened.header.encoder
        assert set(vectors.table) == set(opened.table)
        assert vectors.table["path"].tolist() == opened.table["path"].tolist()
        assert vectors.table["seconds"].astype(float).tolist() == opened.table["seconds"].tolist()


def test_layers_come_in_the_order_asked_and_x1_last(store):
    whole = load_vectors([store])
    some = load_vectors([store], ("p90", "flux"))
    assert some.layers == ("p90", "flux", "mean")
    where = [whole.layers.index(name) for name in some.layers]
    np.testing.assert_array_equal(some.x, whole.x[:, where])
    assert load_vectors([store], ()).x.shape == (36, 1, 80)


@pytest.fixture
def two_corpora(tmp_path):
    """two_corpora(one, two, **about) -> stores of 12 clips each, whose paths are the same."""

    def make(one, two, **about):
        for seed, (corpus, file) in enumerate((("left", one), ("right", two))):
            root = tones.write_corpus(tmp_path / corpus, corpus=corpus, sentences=1, seed=9 * seed)
            extract(root, tmp_path / file, ExtractConfig(), encoder=Stub(**about))
        return tmp_path / one, tmp_path / two

    return make


def test_two_stores_follow_each_other(two_corpora):
    one, two = two_corpora("one.zarr", "two.h5")
    vectors = load_vectors([one, two])
    np.testing.assert_array_equal(vectors.x[:12], load_vectors([one]).x)
    np.testing.assert_array_equal(vectors.x[12:], load_vectors([two]).x)
    paths = vectors.table["path"].tolist()
    assert [path.split(":")[0] for path in paths] == ["left"] * 12 + ["right"] * 12
    assert len(set(paths)) == 24
    assert vectors.hashes == (load_vectors([one]).hashes[0], load_vectors([two]).hashes[0])


@pytest.mark.parametrize("labels", ["native", "canonical"])
def test_a_question_knows_neither_the_files_nor_the_order_of_stores(labels, two_corpora):
    one, two = two_corpora("emodb-whisper.zarr", "ravdess-whisper.zarr")
    three, four = two_corpora("a.zarr", "b.h5", family="another")
    asked = {
        make_protocol(load_vectors(stores).table, labels=labels).hash
        for stores in ([one, two], [two, one], [three, four], [four, three])
    }
    assert len(asked) == 1


def test_stores_without_a_common_path_ask_what_their_merged_store_asks(tmp_path):
    stores = [tmp_path / "one.zarr", tmp_path / "two.zarr"]
    for corpus, speakers, store in zip(("l", "r"), ("ab", "cd"), stores, strict=True):
        seed = ord(corpus)  # other recordings: equal ones would be a leak
        root = tones.write_corpus(
            tmp_path / corpus, corpus=corpus, speakers=speakers, sentences=1, seed=seed
        )
        extract(root, store, ExtractConfig(), encoder=Stub())
    merge(stores, tmp_path / "both.h5")
    both = load_vectors([tmp_path / "both.h5"])
    assert load_vectors(stores).table["path"].tolist() == both.table["path"].tolist()
    assert make_protocol(load_vectors(stores).table).hash == make_protocol(both.table).hash


def test_spellings_of_one_label_in_several_stores_are_one_class(tmp_path):
    stores = []
    for speaker, spelt in (("a", str.title), ("b", str.lower), ("c", str.lower)):
        root = tmp_path / speaker
        lines = ["file,corpus,speaker,emotion,mood"]
        for emotion in ("angry", "sad"):
            for number in (1, 2):
                file = f"{speaker}-{emotion}{number}.wav"
                tones.write_clip(root / file, tones.chord(0, number, len(lines)))
                lines.append(f"{file},x,{spelt('anna')},{spelt(emotion)},{spelt(emotion)}")
        (root / "manifest.csv").write_text("\n".join(lines))
        stores.append(tmp_path / f"{speaker}.zarr")
        extract(root, stores[-1], ExtractConfig(), encoder=Stub())
    merge(stores, tmp_path / "all.zarr")
    hashes = set()
    for given in (stores, stores[::-1], [tmp_path / "all.zarr"]):
        found = load_vectors(given)
        assert set(found.table["emotion"]) == set(found.table["mood"]) == {"angry", "sad"}
        assert set(found.table["speaker"]) == {"anna"}
        assert "spellings of one emotion joined as 'angry': 'angry' (4), 'Angry' (2)" in found.notes
        assert len(found.notes) == 5
        hashes.add(make_protocol(found.table, name="random-holdout").hash)
    assert len(hashes) == 1
    assert set(load_vectors(stores, join=False).table["emotion"]) == {
        "Angry", "angry", "Sad", "sad"
    }  # fmt: skip


def test_a_clip_that_two_stores_hold_is_refused(stub_store):
    one, two = stub_store("one.zarr"), stub_store("two.h5")
    with pytest.raises(StoreError, match=r"one.zarr and .*two.h5 both hold the clip emodb:DC/an"):
        load_vectors([one, two])
    with pytest.raises(StoreError, match=r"one.zarr and .*one.zarr both hold"):
        load_vectors([one, one])


def test_prefixes_are_for_the_stores_that_they_name(two_corpora):
    stores = two_corpora("one.zarr", "two.h5")
    paths = load_vectors(stores, prefixes=("x.zarr", "y.h5")).table["path"].tolist()
    assert [path.split(":")[0] for path in paths] == ["x.zarr"] * 12 + ["y.h5"] * 12
    assert load_vectors(stores[:1], prefixes=("x", "y")).table["path"][0] == "DC/angry-0.wav"


def test_a_column_that_only_one_store_has_is_empty_in_the_other(stub_store, tmp_path):
    one = stub_store("one.zarr")
    root = tmp_path / "folders"
    tones.write_clip(root / "calm/a.wav", tones.chord(0, 0, 0))
    extract(root, tmp_path / "two.zarr", ExtractConfig(), encoder=Stub())
    mood = load_vectors([one, tmp_path / "two.zarr"]).table["mood"]
    assert set(mood[:12]) == {"up", "down"}
    assert mood[12:].tolist() == [""]


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"weights_sha256": "ab"}, r"encoder\.weights_sha256: absent in .*, 'ab' in "),
        ({"dtype": "bfloat16"}, r"encoder\.dtype: absent in .*one.zarr, 'bfloat16' in .*two.zarr"),
        ({"family": "other"}, r"encoder: 'stub' in .*one.zarr, 'stub' \(other\) in .*two.zarr"),
    ],
)
def test_two_encoders_are_not_mixed(about, said, stub_store):
    with pytest.raises(StoreError, match=rf"one.zarr and .*two.zarr were not made alike \({said}"):
        load_vectors([stub_store("one.zarr"), stub_store("two.zarr", **about)])


def test_an_encoder_by_another_name_or_library_is_the_same(stub_store):
    one, two = stub_store("one.zarr"), stub_store("two.zarr", name="moved/stub", libraries={})
    with open_store(one) as left, open_store(two) as right:
        check_same_encoder(left, right)


def test_another_encoder_is_named_before_its_layers(stub_store, store):
    with pytest.raises(
        StoreError, match=r"made alike \(encoder: 'stub' in .*, 'fbank' in .*zarr\);"
    ):
        load_vectors([stub_store("one.zarr"), store])


def test_layers_that_are_not_there(store):
    with pytest.raises(ConfigError, match=r"no conditioning layer 'x9'.*and x1, mean, always"):
        load_vectors([store], ("std", "x9"))


def test_what_is_no_store(tmp_path, corpus):
    with pytest.raises(StoreError, match="does not exist; `gensr extract"):
        load_vectors([tmp_path / "no.zarr"])
    with pytest.raises(StoreError, match="corpus is not a gensr store"):
        load_vectors([corpus])
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(StoreError, match=r"text\.h5"):
        load_vectors([tmp_path / "text.h5"])
