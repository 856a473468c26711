"""Extraction of perturbed clips: one store however it is made, and never mixed with another."""

import numpy as np
import pytest
import soundfile

from gensr.estimator.errors import ConfigError
from gensr.features.audio.perturb import perturbation
from gensr.features.hearing.decode import read_audio
from gensr.features.store import open_store
from gensr.features.store.errors import StoreError
from gensr.features.store.merge import merge
from gensr.features.store.open import work_folder
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.use.describe import describe
from support import stub
from support.forking import forking
from support.steps import DIED
from support.trees import tree

NOISY = "noise:10dB,gain:-6dB"


@pytest.fixture
def corpus(tmp_path):
    root = stub.write_corpus(tmp_path / "corpus")
    same = (root / "angry/000.wav").read_bytes()
    (root / "sad/zz-copy.wav").write_bytes(same)
    return root


def make(corpus, out, encoder=None, **config):
    small = {"encoder": "stub", "shard_clips": 4, "batch_seconds": 0.2}
    return extract(
        corpus, out, ExtractConfig(**(small | config)), encoder=encoder or stub.StubEncoder()
    )


def test_the_encoder_hears_the_perturbed_clip_and_the_store_knows_the_recording(corpus, tmp_path):
    clean, noisy = tmp_path / "clean.zarr", tmp_path / "noisy.zarr"
    make(corpus, clean)
    make(corpus, noisy, perturb="noise:10.0, gain:-6dB")
    with open_store(clean) as a, open_store(noisy) as b:
        for name in ("path", "audio_sha256", "file_sha256", "samples", "seconds", "emotion"):
            assert a.table[name].tolist() == b.table[name].tolist()
        assert b.header.preprocessing == {**a.header.preprocessing, "perturb": NOISY}
        assert a.fingerprint() != b.fingerprint()
        vectors = b.vectors()
        for row, path in enumerate(b.table["path"].tolist()):
            wave = read_audio(corpus / path)
            heard = perturbation(NOISY)(wave.samples, wave.sha256)
            expected = stub.StubEncoder().expected(heard)
            np.testing.assert_array_equal(vectors[row, 1:], expected[1:])
        copies = [row for row, n in enumerate(b.table["audio_sha256"]) if n == wave.sha256]
        assert len(copies) == 2
        np.testing.assert_array_equal(*vectors[copies])
    assert dict(describe(noisy).facts)["perturbed"] == NOISY
    assert dict(describe(clean).facts)["perturbed"] == "no"


def test_a_clip_that_is_cut_is_perturbed_whole(tmp_path):
    rng = np.random.default_rng(0)
    wave = rng.normal(0, 0.1, 40_000).astype(np.float32)
    root = tmp_path / "corpus"
    (root / "sad").mkdir(parents=True)
    soundfile.write(root / "sad/long.wav", wave, 16_000, subtype="FLOAT")

    class Hears(stub.StubEncoder):
        heard: list = []

        def _encode(self, waveforms):
            self.heard.extend(waveforms)
            return super()._encode(waveforms)

    encoder = Hears()
    make(root, tmp_path / "s.zarr", encoder, perturb="noise:10dB", max_seconds=1.0)
    exact = perturbation("noise:10dB")(wave, read_audio(root / "sad/long.wav").sha256)
    assert len(encoder.heard) == 3
    heard = np.concatenate(sorted(encoder.heard, key=lambda part: exact.tolist().index(part[0])))
    np.testing.assert_array_equal(heard, exact)


def test_batches_make_no_difference_and_verify_sees_it(corpus, tmp_path):
    report = make(corpus, tmp_path / "a.zarr", perturb=NOISY, verify=5)
    assert report.verification.clips == 5
    assert report.verification.error < 1e-5
    make(corpus, tmp_path / "b.zarr", perturb=NOISY, batch_seconds=0.01)
    with open_store(tmp_path / "a.zarr") as a, open_store(tmp_path / "b.zarr") as b:
        np.testing.assert_array_equal(a.vectors()[:, 1:], b.vectors()[:, 1:])


def test_killed_at_any_step_it_ends_as_one_made_in_one_go(corpus, tmp_path):
    out, whole = tmp_path / "s.zarr", tmp_path / "whole.zarr"
    stub.extract(corpus, whole, 0.0, NOISY)
    with forking("store_works") as calls:
        steps = calls.call("extract", corpus, tmp_path / "n.zarr", 0, NOISY, how={"kill": 10**9})
        assert steps.taken > 20
        for step in range(3, steps.taken, 17):
            died = calls.call("extract", corpus, out, 0, NOISY, how={"kill": step})
            assert died.status in (0, DIED)
        assert calls.call("extract", corpus, out, 0, NOISY).status == 0
    assert tree(out) == tree(whole)
    assert not work_folder(out).exists()


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (NOISY, None, f"preprocessing.perturb: '{NOISY}' there, absent here"),
        (None, NOISY, f"preprocessing.perturb: absent there, '{NOISY}' here"),
        ("phone", NOISY, f"preprocessing.perturb: 'phone' there, '{NOISY}' here"),
    ],
)
def test_another_perturbation_neither_resumes_nor_adds(corpus, tmp_path, then, now, said):
    half, done = tmp_path / "half.zarr", tmp_path / "done.zarr"
    with pytest.raises(RuntimeError, match="broke"):
        make(corpus, half, stub.StubEncoder(fail_at=3), perturb=then)
    make(corpus, done, perturb=then)
    for out in (half, done):
        with pytest.raises(StoreError, match="with other settings") as caught:
            make(corpus, out, perturb=now)
        assert said in str(caught.value)
    make(corpus, half, perturb=then)
    assert tree(half) == tree(done)


def test_a_survey_holds_for_every_perturbation(corpus, tmp_path, monkeypatch):
    """What was heard is the recording; only what is encoded is perturbed."""
    from gensr.pipeline.extraction import survey_log

    heads = []
    monkeypatch.setattr(
        survey_log,
        "known",
        lambda job, how, known=survey_log.known: (heads.append(how), known(job, how))[1],
    )
    make(corpus, tmp_path / "a.zarr")
    make(corpus, tmp_path / "b.zarr", perturb=NOISY)
    assert heads[0] == heads[1]


def test_perturbed_and_clean_are_not_merged(corpus, tmp_path):
    clean, noisy = tmp_path / "clean.zarr", tmp_path / "noisy.zarr"
    make(corpus, clean)
    make(corpus, noisy, perturb=NOISY)
    said = f"preprocessing.perturb: absent in .*clean.zarr, '{NOISY}' in .*noisy.zarr"
    with pytest.raises(StoreError, match=said):
        merge([clean, noisy], tmp_path / "both.zarr")
    other = stub.write_corpus(tmp_path / "more", clips=5)
    for path in sorted(other.rglob("*.wav")):
        path.rename(path.with_name(f"more-{path.name}"))
    make(other, tmp_path / "more.zarr", perturb=NOISY)
    merge([noisy, tmp_path / "more.zarr"], tmp_path / "both.zarr")
    with open_store(tmp_path / "both.zarr") as both:
        assert both.header.preprocessing["perturb"] == NOISY


def test_what_leaves_nothing_to_hear_is_refused_by_name(tmp_path):
    root = tmp_path / "corpus"
    (root / "sad").mkdir(parents=True)
    soft = np.random.default_rng(0).normal(0, 1e-4, 8_000)
    soundfile.write(root / "sad/soft.wav", soft, 16_000, subtype="FLOAT")
    with pytest.raises(StoreError, match=r"^sad/soft.wav is silent once it is perturbed \(gain"):
        make(root, tmp_path / "s.zarr", perturb="gain:-60dB,phone,noise:20dB")


def test_a_wrong_perturbation_is_refused_before_anything_is_done():
    with pytest.raises(ConfigError, match=r"^perturb has 'loud': no such kind"):
        ExtractConfig(perturb="loud")
