import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.estimator.errors import EncoderError
from gensr.features.encoders import load_encoder
from gensr.features.encoders.waveform import standardise

PADDED = ("hubert-large", "wav2vec2-large", "wavlm-large")
EQUAL = ("hubert-base", "wav2vec2-base", "data2vec")
LENGTHS = (400, 719, 720, 5_000, 16_000, 16_001)


@pytest.fixture(scope="session")
def loaded(checkpoint):
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = load_encoder(str(checkpoint(kind)), device="cpu")
        return made[kind]

    return get


@pytest.mark.parametrize("kind", PADDED)
def test_a_padded_clip_equals_the_clip_alone(kind, loaded, noise, error):
    encoder = loaded(kind)
    assert not encoder.equal_lengths
    clips = noise(*LENGTHS)
    alone = np.concatenate([encoder.encode([clip]) for clip in clips])
    assert alone.dtype == np.float32
    assert alone.shape == (6, 4, 32)
    assert error(encoder.encode(clips), alone) < 1e-5


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(
    lengths=st.lists(st.integers(400, 4_000), min_size=2, max_size=5),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_neither_batch_mates_nor_order_matter(loaded, noise, error, lengths, seed, data):
    encoder = loaded("hubert-large")
    clips = noise(*lengths, seed=seed)
    together = encoder.encode(clips)
    order = data.draw(st.permutations(range(len(clips))))
    assert error(encoder.encode([clips[i] for i in order]), together[order]) < 1e-5
    assert error(encoder.encode(clips[:1]), together[:1]) < 1e-5


@pytest.mark.parametrize("kind", EQUAL)
def test_equal_lengths_batch_exactly_and_others_are_refused(kind, loaded, noise, error):
    encoder = loaded(kind)
    assert encoder.equal_lengths
    clips = noise(5_000, 5_000, 5_000)
    alone = np.concatenate([encoder.encode([clip]) for clip in clips])
    assert error(encoder.encode(clips), alone) < 1e-5
    with pytest.raises(EncoderError, match="one length"):
        encoder.encode(noise(5_000, 5_001))


@pytest.mark.parametrize("kind", PADDED + EQUAL)
def test_layers_are_the_hidden_states_and_x1_is_the_last(kind, loaded, checkpoint, noise, error):
    """Against transformers itself: its feature extractor's scaling, its own hidden states."""
    from transformers import AutoModel, Wav2Vec2FeatureExtractor

    encoder = loaded(kind)
    assert encoder.layers == ("0", "1", "2", "last")
    assert encoder.width == 32
    folder = checkpoint(kind)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    (clip,) = noise(12_345)
    values = extractor(clip, sampling_rate=16_000, return_tensors="pt").input_values
    with torch.inference_mode():
        output = model(values, output_hidden_states=True)
    states = [*output.hidden_states[:3], output.last_hidden_state]
    expected = np.stack([state[0].mean(dim=0).numpy() for state in states])
    assert error(encoder.encode([clip])[0], expected) < 1e-5


def test_standardise_is_the_extractors(noise):
    from transformers import Wav2Vec2FeatureExtractor

    (clip,) = noise(4_000)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    theirs = extractor(clip, sampling_rate=16_000, return_tensors="np").input_values[0]
    np.testing.assert_array_equal(standardise(clip), theirs)


@pytest.mark.parametrize("kind", ["hubert-large", "hubert-base"])
def test_without_a_preprocessor_file_normalisation_is_assumed_and_said(
    kind, checkpoint, loaded, noise, tmp_path
):
    folder = Path(shutil.copytree(checkpoint(kind), tmp_path / kind))
    (folder / "preprocessor_config.json").unlink()
    encoder = load_encoder(str(folder), device="cpu")
    assert "assumed" in encoder.provenance()["preprocessing"]["normalisation"]
    clips = noise(3_000)
    np.testing.assert_array_equal(encoder.encode(clips), loaded(kind).encode(clips))


@pytest.mark.parametrize(("dtype", "bound"), [("bfloat16", 0.05), ("float16", 0.01)])
def test_reduced_precision_stays_near(dtype, bound, checkpoint, loaded, noise, error):
    encoder = load_encoder(str(checkpoint("hubert-large")), device="cpu", dtype=dtype)
    clips = noise(400, 16_000)
    vectors = encoder.encode(clips)
    assert vectors.dtype == np.float32
    assert 0 < error(vectors, loaded("hubert-large").encode(clips)) < bound
    assert encoder.provenance()["dtype"] == dtype


def test_vectors_that_are_not_finite_are_an_error(loaded, noise):
    (clip,) = noise(1_000)
    clip[3] = np.inf
    with pytest.raises(EncoderError, match="not finite"):
        loaded("hubert-base").encode([clip])


def test_too_few_samples_are_an_error_and_no_clip_is_no_vector(loaded, noise):
    encoder = loaded("hubert-large")
    with pytest.raises(EncoderError, match="400 samples, not 399"):
        encoder.encode(noise(399))
    assert encoder.encode([]).shape == (0, 4, 32)


def test_provenance_is_json_and_knows_no_machine(loaded, checkpoint):
    import hashlib

    folder = checkpoint("hubert-large")
    provenance = loaded("hubert-large").provenance()
    text = json.dumps(provenance)
    assert str(folder.parent) not in text
    assert "cpu" not in text
    assert provenance["name"] == "hubert-large"
    assert provenance["family"] == "hubert"
    assert provenance["x1"] == "last_hidden_state, after the final layer norm"
    assert "own layer norm" in loaded("hubert-base").provenance()["x1"]
    content = (folder / "model.safetensors").read_bytes()
    assert provenance["weights_sha256"] == hashlib.sha256(content).hexdigest()
    assert set(provenance["libraries"]) == {"torch", "torchaudio", "transformers"}


def test_an_adapter_at_the_end_is_refused(checkpoint, tmp_path):
    from transformers import AutoModel, Wav2Vec2Config

    config = Wav2Vec2Config.from_pretrained(checkpoint("wav2vec2-large"))
    config.add_adapter = True
    AutoModel.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="adapter"):
        load_encoder(str(tmp_path), device="cpu")
