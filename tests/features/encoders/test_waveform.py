import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.features.encoders import BOUNDS, load_encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.waveform import standardise
from support.checkpoints import relative_error
from support.contracts.encoder import EncoderContract
from support.sounds import noise


class TestWaveform(EncoderContract):
    """Each kind, one after the other."""

    @pytest.fixture
    def encoder(self, kind, loaded):
        return loaded(kind)


LENGTHS = (400, 719, 720, 5_000, 16_000, 16_001, 40_000)


def alone(encoder, clips):
    return np.concatenate([encoder.encode([clip]) for clip in clips])


def test_a_padded_clip_equals_the_clip_alone(kind, loaded):
    encoder = loaded(kind)
    assert not encoder.equal_lengths
    assert encoder.max_samples is None
    clips = noise(*LENGTHS)
    expected = alone(encoder, clips)
    assert expected.dtype == np.float32
    assert expected.shape == (len(LENGTHS), 4, 32)
    assert relative_error(encoder.encode(clips), expected) < 1e-5
    assert relative_error(encoder.encode(clips[::-1]), expected[::-1]) < BOUNDS[encoder.dtype]


LENGTH = st.one_of(st.sampled_from(LENGTHS), st.integers(400, 50_000))


FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)
MANY = settings(FEW, max_examples=60)
FLOAT32 = BOUNDS["float32"]
BATCHES = given(
    lengths=st.lists(LENGTH, min_size=2, max_size=5), seed=st.integers(0, 99), data=st.data()
)


def shuffled_error(encoder, clips, data):
    expected = alone(encoder, clips)
    order = data.draw(st.permutations(range(len(clips))))
    return relative_error(encoder.encode([clips[i] for i in order]), expected[order])


@FEW
@BATCHES
def test_neither_batch_mates_nor_order_matter(loaded, kind, lengths, seed, data):
    assert shuffled_error(loaded(kind), noise(*lengths, seed=seed), data) < FLOAT32


@pytest.mark.slow
@MANY
@BATCHES
def test_nor_do_they_in_many_more_draws(loaded, kind, lengths, seed, data):
    assert shuffled_error(loaded(kind), noise(*lengths, seed=seed), data) < FLOAT32


def test_what_stands_in_the_padding_does_not_matter(kind, loaded, monkeypatch):
    """Rubbish behind the clips' ends, in place of zeros."""
    encoder = loaded(kind)
    clips = noise(3_000, 16_000)
    expected = encoder.encode(clips)
    prepared = encoder._prepare(clips)
    prepared.samples[0, 3_000:] = 100.0
    assert relative_error(encoder._encode(prepared).numpy(), expected) < BOUNDS[encoder.dtype]


def test_clips_of_one_length_are_not_masked(kind, loaded):
    encoder = loaded(kind)
    calls = []
    hook = encoder._model.encoder.layers[0].register_forward_pre_hook(
        lambda layer, args, kwargs: calls.append(kwargs["attention_mask"] is not None),
        with_kwargs=True,
    )
    try:
        encoder.encode(noise(5_000, 5_001))
        clips = noise(5_000, 5_000, 5_000)
        together = encoder.encode(clips)
        assert calls == [True, False]
    finally:
        hook.remove()
    assert relative_error(together, alone(encoder, clips)) < BOUNDS[encoder.dtype]


def test_frames_are_those_the_model_makes(kind, loaded):
    encoder = loaded(kind)
    lengths = torch.arange(400, 3_000)
    theirs = encoder._model._get_feat_extract_output_lengths(lengths)
    assert [encoder.frames(n) for n in lengths.tolist()] == theirs.tolist()


def test_a_norm_nobody_knows_means_clips_of_one_length(checkpoint, loaded, monkeypatch):
    """Exact or refused: never a little off."""
    from gensr.features.encoders import pretrained as loading

    load = loading._load_model

    def tampered(*args, **options):
        model = load(*args, **options)
        model.feature_projection.surprise = torch.nn.GroupNorm(1, 16)
        return model

    monkeypatch.setattr(loading, "_load_model", tampered)
    encoder = load_encoder(str(checkpoint("hubert-base")), device="cpu")
    assert encoder.equal_lengths
    with pytest.raises(EncoderError, match="one length"):
        encoder.encode(noise(5_000, 5_001))
    clips = noise(5_000, 5_000)
    np.testing.assert_array_equal(encoder.encode(clips), loaded("hubert-base").encode(clips))


def test_layers_are_the_hidden_states_and_x1_is_the_last(kind, loaded, checkpoint):
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
    assert relative_error(encoder.encode([clip])[0], expected) < 1e-5


def test_standardise_is_the_extractors():
    from transformers import Wav2Vec2FeatureExtractor

    (clip,) = noise(4_000)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    theirs = extractor(clip, sampling_rate=16_000, return_tensors="np").input_values[0]
    np.testing.assert_array_equal(standardise(clip), theirs)


@pytest.mark.parametrize("kind", ["hubert-large", "hubert-base"])
def test_without_a_preprocessor_file_normalisation_is_assumed_and_said(
    kind, checkpoint, loaded, tmp_path
):
    folder = Path(shutil.copytree(checkpoint(kind), tmp_path / kind))
    (folder / "preprocessor_config.json").unlink()
    encoder = load_encoder(str(folder), device="cpu")
    assert "assumed" in encoder.provenance()["preprocessing"]["normalisation"]
    clips = noise(3_000)
    np.testing.assert_array_equal(encoder.encode(clips), loaded(kind).encode(clips))


@pytest.mark.parametrize(("dtype", "bound"), [("bfloat16", 0.05), ("float16", 0.01)])
def test_reduced_precision_stays_near(dtype, bound, checkpoint, loaded):
    encoder = load_encoder(str(checkpoint("hubert-large")), device="cpu", dtype=dtype)
    clips = noise(400, 16_000)
    vectors = encoder.encode(clips)
    assert vectors.dtype == np.float32
    assert 0 < relative_error(vectors, loaded("hubert-large").encode(clips)) < bound
    assert encoder.provenance()["dtype"] == dtype


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", ["hubert-large", "hubert-base", "wavlm-base", "data2vec"])
def test_in_reduced_precision_batch_mates_matter_as_little_as_said(kind, dtype, checkpoint):
    encoder = load_encoder(str(checkpoint(kind)), device="cpu", dtype=dtype)
    clips = noise(*LENGTHS)
    assert relative_error(encoder.encode(clips), alone(encoder, clips)) < BOUNDS[dtype]


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
    assert set(provenance["libraries"]) == {"torch", "transformers"}


def test_an_adapter_at_the_end_is_refused(checkpoint, tmp_path):
    from transformers import AutoModel, Wav2Vec2Config

    config = Wav2Vec2Config.from_pretrained(checkpoint("wav2vec2-large"))
    config.add_adapter = True
    AutoModel.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="adapter"):
        load_encoder(str(tmp_path), device="cpu")
