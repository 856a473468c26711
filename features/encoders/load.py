"""From a name on the command line to an encoder: one of `ENCODERS`, a local folder, or a hub id."""

from gensr.estimator.errors import ConfigError, GensrError, one_line
from gensr.features.encoders.base import Encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.registry import ENCODERS

DEFAULT_ENCODER = "TencentGameMate/chinese-hubert-large"
"""The paper's encoder."""

DTYPES = ("float32", "bfloat16", "float16")
CONTEXTS = ("full", "clip")


def load_encoder(
    name: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "float32",
    context: str = "full",
) -> Encoder:
    """Load a frozen encoder, ready to encode.

    Args:
        name: one of `ENCODERS` as `fbank`, a folder in Hugging Face layout, or a hub id. A
            folder that is called like one of `ENCODERS` is `./fbank`.
        revision: branch, tag or commit on the hub; a hub id without one takes the newest.
        device: `auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1`, `mps`. `fbank`
            always runs on the CPU.
        dtype: `float32`, `bfloat16` or `float16`: of weights and activations; time averages
            are taken in float32 whatever this is.
        context: Whisper only. `full`: 30 s of frames, as it was trained; `clip`: the clip's own
            frames, cheaper and not the same vector. All others hear the clip alone, whichever
            is said.

    Raises:
        ConfigError: a setting is none of those above.
        EncoderError: the encoder cannot be found, loaded or run so; one line, with a way out.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"dtype is one of {', '.join(DTYPES)}, not {dtype!r}")
    if context not in CONTEXTS:
        raise ConfigError(f"context is one of {', '.join(CONTEXTS)}, not {context!r}")
    if name in ENCODERS:
        if revision is not None:
            raise ConfigError(f"{name} has no revisions; drop {revision!r}")
        return _registered(name, device, dtype)

    from gensr.estimator.device import pick_device
    from gensr.features.encoders.pretrained import load_pretrained
    from gensr.features.encoders.resolve import find_source

    place = pick_device(device)  # before any download
    source = find_source(name, revision)
    pretrained = load_pretrained(source, device=place, dtype=dtype)
    try:
        if pretrained.model_type == "whisper":
            from gensr.features.encoders.whisper import WhisperEncoder

            return WhisperEncoder(pretrained, context=context).tried()
        from gensr.features.encoders.waveform import WaveformEncoder

        return WaveformEncoder(pretrained).tried()
    except EncoderError:
        raise
    except Exception as error:  # a config.json that builds a model which cannot run
        raise EncoderError(
            f"the encoder in {source.folder} does not run ({one_line(error)}); is this the "
            "config.json of its weights?"
        ) from error


def _registered(name: str, device: str, dtype: str) -> Encoder:
    try:
        return ENCODERS[name].load(device=device, dtype=dtype)
    except GensrError:
        raise
    except Exception as error:  # whatever a package's own encoder raises
        raise EncoderError(
            f"the encoder {name!r} of {ENCODERS.origin(name)} cannot be loaded ({one_line(error)})"
        ) from error
