"""What an encoder's folder says is followed or refused: transformers' own classes are the judge."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.features.encoders import load_encoder
from gensr.features.encoders.errors import EncoderError
from support.checkpoints import relative_error
from support.sounds import noise

WINDOW = 32_000
"""Samples that the small Whisper hears."""
WAVES = ("hubert-large", "hubert-base", "wav2vec2-large", "wav2vec2-base", "wavlm-base", "data2vec")
FAMILIES = (*WAVES, "whisper")


@pytest.fixture(scope="module")
def folder(checkpoint, tmp_path_factory):
    """folder(kind, config, preprocessor, processor) -> a copy of the encoder with these settings.

    `config` is laid over config.json; the others are whole files, None for none.
    """
    root = tmp_path_factory.mktemp("settings")
    made = {}

    def make(kind, config=None, preprocessor=None, processor=None):
        path = made.setdefault(kind, root / kind)
        if not path.exists():
            shutil.copytree(checkpoint(kind), path)
        about = json.loads((checkpoint(kind) / "config.json").read_text())
        (path / "config.json").write_text(json.dumps(about | (config or {})))
        for name, content in (("preprocessor", preprocessor), ("processor", processor)):
            file = path / f"{name}_config.json"
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_text(json.dumps(content))
        return path

    return make


def theirs(folder, clip):
    """(layers, width): means of what AutoFeatureExtractor and AutoModel make of a clip."""
    from transformers import AutoFeatureExtractor, AutoModel

    extractor = AutoFeatureExtractor.from_pretrained(folder)
    features = extractor(clip, sampling_rate=16_000, return_tensors="pt")
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    frames = None
    if model.config.model_type == "whisper":
        model, frames = model.get_encoder(), -(-len(clip) // 320)
    model.config.return_dict, model.config.torchscript = True, False  # else it gives no states
    with torch.inference_mode():
        output = model(features[extractor.model_input_names[0]], output_hidden_states=True)
    states = [*output.hidden_states[:-1], output.last_hidden_state]
    return np.stack([state[0, :frames].mean(dim=0).numpy() for state in states])


def loaded_or_not(folder):
    """The encoder, or the one line that refuses it."""
    try:
        return load_encoder(str(folder), device="cpu"), ""
    except EncoderError as error:
        refusal = str(error)
    assert "\n" not in refusal
    return None, refusal


def check(folder):
    """Ours equal theirs, or we refuse in one line; where they refuse, so do we."""
    (clip,) = noise(9_600)
    encoder, refusal = loaded_or_not(folder)
    if encoder is None:
        assert str(folder) in refusal
        return "refused"
    ours = encoder.encode([clip])[0]
    assert relative_error(ours, theirs(folder, clip)) < 1e-5
    return "followed"


def extractor_of(kind, **more):
    """What a family's extractor saves."""
    if kind == "whisper":
        return {"feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 2} | more
    return {"feature_extractor_type": "Wav2Vec2FeatureExtractor"} | more


@pytest.mark.parametrize("kind", ["hubert-base", "wav2vec2-large", "whisper"])
@pytest.mark.parametrize("nested", [False, True])
def test_the_extractor_is_read_from_either_file(kind, nested, folder):
    about = extractor_of(kind, do_normalize=True)
    files = {"processor": {"feature_extractor": about}} if nested else {"preprocessor": about}
    path = folder(kind, **files)
    assert check(path) == "followed"
    said = load_encoder(str(path), device="cpu").provenance()["preprocessing"]["normalisation"]
    if kind != "whisper":
        source = "processor_config.json" if nested else "preprocessor_config.json"
        assert said == f"zero mean, unit variance over the clip ({source})"


@pytest.mark.parametrize("kind", ["hubert-base", "wav2vec2-large"])
def test_where_both_files_are_there_the_processors_goes_first(kind, folder):
    for wanted in (True, False):
        path = folder(
            kind,
            preprocessor=extractor_of(kind, do_normalize=not wanted),
            processor={"feature_extractor": extractor_of(kind, do_normalize=wanted)},
        )
        assert check(path) == "followed"
    path = folder(
        kind,
        preprocessor=extractor_of(kind, do_normalize=False),
        processor={"processor_class": "Wav2Vec2Processor", "feature_extractor": None},
    )
    assert check(path) == "followed"
    assert "none (preprocessor_config.json)" in str(load_encoder(str(path)).provenance())


def test_a_processor_may_call_its_extractor_an_audio_processor(folder):
    wanted, other = extractor_of("hubert-base"), extractor_of("hubert-base", do_normalize=False)
    for processor in (
        {"audio_processor": wanted},
        {"audio_processor": other, "feature_extractor": wanted},
    ):
        path = folder("hubert-base", preprocessor=other, processor=processor)
        assert check(path) == "followed"
        assert "unit variance over the clip (processor_config.json)" in str(
            load_encoder(str(path), device="cpu").provenance()
        )
    nothing = {"audio_processor": other, "feature_extractor": None}
    path = folder("hubert-base", preprocessor=wanted, processor=nothing)
    assert check(path) == "followed"
    assert "(preprocessor_config.json)" in str(load_encoder(str(path), device="cpu").provenance())


def test_what_an_extractor_does_not_say_is_its_own_default(folder):
    """A group-norm model whose file leaves do_normalize out is normalised all the same."""
    path = folder("hubert-base", preprocessor={"sampling_rate": 16_000})
    assert check(path) == "followed"
    assert "unit variance" in str(load_encoder(str(path), device="cpu").provenance())


NEUTRAL = [
    {"return_dict": False},
    {"torchscript": True},
    {"_attn_implementation": "eager"},
    {"attn_implementation": "eager"},
    {"output_hidden_states": True},
    {"output_attentions": True},
    {"dtype": "float16"},
    {"torch_dtype": "bfloat16"},
    {"gradient_checkpointing": True},
    {"apply_spec_augment": True, "mask_time_prob": 0.9, "layerdrop": 0.9, "encoder_layerdrop": 0.9},
    {"use_weighted_layer_sum": True},
]


def check_neutral(path):
    assert check(path) == "followed"
    clips = noise(9_600, 5_000)  # a batch of two lengths goes another way
    encoder = load_encoder(str(path), device="cpu")
    alone = np.concatenate([encoder.encode([clip]) for clip in clips])
    assert relative_error(encoder.encode(clips), alone) < 1e-5


@pytest.mark.parametrize("kind", ["hubert-base", "whisper"])
def test_a_config_that_does_not_change_the_model_changes_nothing(kind, folder):
    every = {key: value for config in NEUTRAL for key, value in config.items()}
    check_neutral(folder(kind, every, preprocessor=extractor_of(kind)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("config", NEUTRAL, ids=lambda config: next(iter(config)))
def test_nor_does_any_one_of_them(kind, config, folder):
    check_neutral(folder(kind, config, preprocessor=extractor_of(kind)))


@pytest.mark.parametrize(
    ("kind", "files", "said"),
    [
        ("hubert-large", {"preprocessor": {"sampling_rate": 8_000}}, "audio at 8000 Hz"),
        (
            "whisper",
            {"processor": {"feature_extractor": {"sampling_rate": 24_000}}},
            "audio at 24000 Hz",
        ),
        ("hubert-large", {"processor": {"feature_extractor": []}}, "is no JSON object"),
        (
            "hubert-large",
            {"processor": {"audio_processor": {"sampling_rate": 8_000}}},
            "audio at 8000 Hz",
        ),
        ("hubert-large", {"processor": {"audio_processor": "x"}}, "its audio_processor is no"),
        (
            "hubert-large",
            {"preprocessor": {"auto_map": {"AutoFeatureExtractor": "own.Own"}}},
            "brings as code",
        ),
        (
            "hubert-large",
            {
                "config": {"feature_extractor_type": "Odd"},
                "preprocessor": {"feature_extractor_type": None},
            },
            "feature extractor 'Odd'",
        ),
        ("hubert-base", {"config": {"configuration_files": ["config.4.0.0.json"]}}, "in its place"),
        ("hubert-base", {"config": {"fusion_config": {"patch_embeddings": True}}}, "fusion_config"),
        ("hubert-large", {"preprocessor": []}, "does not hold a JSON object"),
        (
            "hubert-large",
            {"preprocessor": {"feature_extractor_type": "WhisperFeatureExtractor"}},
            "feature extractor 'WhisperFeatureExtractor'",
        ),
        (
            "hubert-large",
            {"config": {"feature_extractor_type": "Odd"}, "preprocessor": {}},
            "feature extractor 'Odd'",
        ),
        ("whisper", {"preprocessor": {"dither": 0.01}}, "dither 0.01"),
        ("whisper", {"preprocessor": {"hop_length": 320}}, "hop_length 320"),
        ("whisper", {"preprocessor": {"n_fft": 512}}, "n_fft 512"),
        ("whisper", {"preprocessor": {"feature_size": 128}}, "feature_size 128"),
        ("whisper", {"preprocessor": {"chunk_length": 15}}, "chunk_length 15"),
        ("whisper", {"preprocessor": {"padding_value": 0.5}}, "padding_value 0.5"),
        ("whisper", {"preprocessor": {"padding_side": "left"}}, "padding_side 'left'"),
        ("wavlm-base", {"config": {"_attn_implementation": "flash_attention_2"}}, "'sdpa' and"),
        ("whisper", {"config": {"attn_implementation": "some/kernel"}}, "'some/kernel'"),
        ("wav2vec2-base", {"config": {"attn_implementation": {"": "eager"}}}, "take that line out"),
        ("hubert-base", {"config": {"quantization_config": {"bits": 4}}}, "quantization_config"),
        ("hubert-base", {"config": {"dtype": "eager"}}, "the dtype 'eager', which torch does not"),
        ("whisper", {"config": {"torch_dtype": "half a float"}}, "the torch_dtype 'half a float'"),
        ("hubert-base", {"config": {"transformers_weights": "o.safetensors"}}, "rename the file"),
        ("hubert-base", {"config": {"conv_stride": [0] * 7}}, "config.json"),
    ],
)
def test_what_is_not_followed_is_refused(kind, files, said, folder):
    with pytest.raises(EncoderError) as refusal:
        load_encoder(str(folder(kind, **files)), device="cpu")
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_adapter_of_peft_is_refused(folder, tmp_path):
    """With peft installed transformers would load it, without it not."""
    path = Path(shutil.copytree(folder("hubert-base"), tmp_path / "with"))
    (path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(EncoderError, match=r"adapter_config\.json: .* merge it"):
        load_encoder(str(path), device="cpu")


def test_parts_of_a_distributed_checkpoint_are_refused(folder, tmp_path):
    """transformers would read them, and leave out the weights whose hash we keep."""
    path = Path(shutil.copytree(folder("hubert-base"), tmp_path / "parts"))
    part = path / "shard-00000-model-00001-of-00001.safetensors"
    shutil.copy(path / "model.safetensors", part)
    with pytest.raises(EncoderError, match=r"shard-00000.* distributed checkpoint"):
        load_encoder(str(path), device="cpu")


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, -1, 2, 0.5, 16_000, 8_000, "", "left", [], {}, "x"]
)
EXTRACTOR = st.dictionaries(
    st.sampled_from(
        [
            *("feature_extractor_type", "feature_size", "sampling_rate", "padding_value"),
            *("padding_side", "do_normalize", "return_attention_mask", "processor_class"),
            *("chunk_length", "n_fft", "hop_length", "n_samples", "nb_max_frames", "dither"),
            *("mel_filters", "model_input_names", "auto_map", "pad", "feature_extractor"),
        ]
    ),
    st.one_of(
        ODD,
        st.sampled_from(["Wav2Vec2FeatureExtractor", "WhisperFeatureExtractor"]),
        st.just({"AutoFeatureExtractor": "own.Own"}),
    ),
    max_size=4,
)
CONFIG = st.dictionaries(
    st.sampled_from(
        [
            *("return_dict", "_attn_implementation", "attn_implementation", "dtype"),
            *("torch_dtype", "output_hidden_states", "output_attentions", "torchscript"),
            *("gradient_checkpointing", "apply_spec_augment", "layerdrop", "do_normalize"),
            *("feature_extractor_type", "quantization_config", "use_weighted_layer_sum"),
            *("configuration_files", "fusion_config", "per_layer_config", "return_attention_mask"),
            *("auto_map", "hidden_act", "layer_norm_eps", "hidden_dropout", "feat_proj_dropout"),
        ]
    ),
    st.one_of(ODD, st.sampled_from(["eager", "sdpa", "float16", "relu", "flash_attention_2"])),
    max_size=2,
)
PLACES = st.sampled_from(["preprocessor", "processor", "both", "neither", "audio_processor"])


def drawn(kind, config, about, other, place, folder):
    files = {}
    if place in ("preprocessor", "both"):
        files["preprocessor"] = extractor_of(kind) | about
    if place in ("processor", "both"):
        files["processor"] = {"feature_extractor": extractor_of(kind) | other}
    if place == "audio_processor":
        files["processor"] = {"audio_processor": extractor_of(kind) | other}
    path = folder(kind, config, **files)
    if place == "neither":  # AutoFeatureExtractor refuses; ours is assumed, and said so
        loaded_or_not(path)
    else:
        check(path)


DRAWS = given(
    kind=st.sampled_from(FAMILIES), config=CONFIG, about=EXTRACTOR, other=EXTRACTOR, place=PLACES
)
FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@DRAWS
def test_any_settings_are_followed_or_refused(kind, config, about, other, place, folder):
    drawn(kind, config, about, other, place, folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(FEW, max_examples=400)
@DRAWS
def test_and_so_are_many_more(kind, config, about, other, place, folder):
    drawn(kind, config, about, other, place, folder)
