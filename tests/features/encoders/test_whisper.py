import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.features.encoders import BOUNDS, load_encoder
from gensr.features.encoders.whisper import LogMel
from support.checkpoints import relative_error
from support.contracts.encoder import EncoderContract
from support.sounds import noise

WINDOW = 32_000  # samples: 100 positions of 320, as the small checkpoint has them


@pytest.fixture(scope="module")
def full(checkpoint):
    return load_encoder(str(checkpoint("whisper")), device="cpu")


@pytest.fixture(scope="module")
def clip_only(checkpoint):
    return load_encoder(str(checkpoint("whisper")), device="cpu", context="clip")


class TestFullContext(EncoderContract):
    @pytest.fixture
    def encoder(self, full):
        return full


class TestClipContext(EncoderContract):
    @pytest.fixture
    def encoder(self, clip_only):
        return clip_only


def test_the_window_is_the_longest(full, clip_only):
    assert full.max_samples == clip_only.max_samples == WINDOW


@pytest.fixture(scope="module")
def reference(checkpoint):
    """Time averages over the first frames, by transformers' own hidden states."""
    from transformers import AutoModel, WhisperFeatureExtractor

    model = AutoModel.from_pretrained(checkpoint("whisper"), dtype=torch.float32)
    encoder = model.eval().get_encoder()
    extractor = WhisperFeatureExtractor()

    def averages(samples, frames):
        padded = np.pad(samples, (0, WINDOW - len(samples)))
        features = extractor(
            padded, sampling_rate=16_000, padding="do_not_pad", return_tensors="pt"
        ).input_features
        with torch.inference_mode():
            output = encoder(features, output_hidden_states=True)
        states = [*output.hidden_states[:3], output.last_hidden_state]
        return np.stack([state[0, :frames].mean(dim=0).numpy() for state in states])

    return averages


def test_full_context_averages_the_frames_that_cover_the_clip(full, reference):
    assert full.layers == ("0", "1", "2", "last")
    assert not full.equal_lengths
    for length, frames in ((400, 2), (9_600, 30), (9_601, 31), (WINDOW, 100)):
        (samples,) = noise(length)
        assert relative_error(full.encode([samples])[0], reference(samples, frames)) < 1e-5


def test_batch_mates_do_not_matter(full, clip_only):
    lengths = [400, 31_999, WINDOW, 5_000, *range(700, 20_000, 1_000)]
    clips = noise(*lengths)  # more than go in one forward
    alone = np.concatenate([full.encode([samples]) for samples in clips])
    assert relative_error(full.encode(clips), alone) < BOUNDS[full.dtype]
    same = noise(*[7_000] * 20)
    alone = np.concatenate([clip_only.encode([samples]) for samples in same])
    assert relative_error(clip_only.encode(same), alone) < BOUNDS[clip_only.dtype]


FEW = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
)
MANY = settings(FEW, max_examples=60)
FLOAT32 = BOUNDS["float32"]
LENGTH = st.integers(400, WINDOW)
BATCHES = given(
    lengths=st.lists(LENGTH, min_size=2, max_size=5), seed=st.integers(0, 99), data=st.data()
)
OF_ONE_LENGTH = given(
    length=LENGTH, count=st.integers(2, 20), seed=st.integers(0, 99), data=st.data()
)


def shuffled_error(encoder, clips, data):
    alone = np.concatenate([encoder.encode([samples]) for samples in clips])
    order = data.draw(st.permutations(range(len(clips))))
    return relative_error(encoder.encode([clips[i] for i in order]), alone[order])


@FEW
@BATCHES
def test_neither_batch_mates_nor_order_matter(full, lengths, seed, data):
    assert shuffled_error(full, noise(*lengths, seed=seed), data) < FLOAT32


@FEW
@OF_ONE_LENGTH
def test_nor_without_the_window(clip_only, length, count, seed, data):
    assert shuffled_error(clip_only, noise(*[length] * count, seed=seed), data) < FLOAT32


@pytest.mark.slow
@MANY
@BATCHES
def test_nor_do_they_in_many_more_draws(full, lengths, seed, data):
    assert shuffled_error(full, noise(*lengths, seed=seed), data) < FLOAT32


@pytest.mark.slow
@MANY
@OF_ONE_LENGTH
def test_nor_there(clip_only, length, count, seed, data):
    assert shuffled_error(clip_only, noise(*[length] * count, seed=seed), data) < FLOAT32


def test_log_mel_is_the_extractors():
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=128)
    filters = torch.from_numpy(extractor.mel_filters).float().T
    loud, quiet = noise(WINDOW, 9_600)
    clips = np.stack([loud, np.pad(0.01 * quiet, (0, WINDOW - 9_600))])
    theirs = extractor(
        list(clips), sampling_rate=16_000, padding="longest", truncation=False, return_tensors="pt"
    ).input_features
    ours = LogMel(filters, extractor.n_fft, extractor.hop_length)(torch.from_numpy(clips))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_frames_cover_the_clip(full):
    assert [full.frames(n) for n in (400, 640, 641, WINDOW)] == [2, 2, 3, 100]


def test_clip_context_is_another_vector_and_the_same_for_a_whole_window(full, clip_only):
    assert clip_only.equal_lengths
    short, whole = noise(8_000), noise(WINDOW)
    assert relative_error(clip_only.encode(short), full.encode(short)) > 1e-3
    assert relative_error(clip_only.encode(whole), full.encode(whole)) < 1e-5
    assert (full.provenance()["context"], clip_only.provenance()["context"]) == ("full", "clip")


def test_reduced_precision_stays_near(checkpoint, full):
    half = load_encoder(str(checkpoint("whisper")), device="cpu", dtype="bfloat16")
    clips = noise(8_000)
    assert 0 < relative_error(half.encode(clips), full.encode(clips)) < 0.05


def test_the_real_whisper_base(encoders):
    folder = encoders / "whisper-base-encoder"
    encoder = load_encoder(str(folder), device="cpu")  # strict: a missing weight is an error
    assert encoder.layers == ("0", "1", "2", "3", "4", "5", "last")
    assert encoder.width == 512
    assert encoder.name == "whisper-base-encoder"
    clips = noise(16_000, 31_234)
    assert relative_error(encoder.encode(clips)[1:], encoder.encode(clips[1:])) < 1e-5
