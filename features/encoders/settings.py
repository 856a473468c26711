"""What an encoder's folder says beside its weights, read as transformers reads it.

Two kinds of settings change vectors, or what they cost. config.json says how the model is built
and run; the feature extractor's settings say what is done to the waveform before. Each of them is
followed or refused: a setting that is passed over would give vectors that look like any others.

The feature extractor's settings stand in preprocessor_config.json or, as transformers 5 saves
them with a processor, in processor_config.json under `feature_extractor` (or `audio_processor`,
which its newest versions read too); where both files have some, the latter goes first. We compute
what the extractor computes ourselves (in batches, where the model is), so the folder's own one is
asked once, with a probe: if the two differ, the encoder is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import one_line
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.encoders.errors import EncoderError

PROCESSOR, PREPROCESSOR, ADAPTER = (
    "processor_config.json",
    "preprocessor_config.json",
    "adapter_config.json",
)
FILES = ("config.json", PREPROCESSOR, PROCESSOR, ADAPTER)
"""What is read of a folder beside its weights; the last may be there to be refused."""

_NESTED = ("feature_extractor", "audio_processor")
"""Where processor_config.json holds the extractor: the first that is there, be it null."""
_SHARDS = "shard-*-model-*-of-*.safetensors"
"""Weights as distributed training saves them: transformers reads them before any others."""
_ATTENTION = ("_attn_implementation", "attn_implementation", "_attn_implementation_internal")
_EXACT = (None, "eager", "sdpa")
"""Ways to compute attention that torch brings along, in every precision; others are a package or
code from the hub, or leave masks out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """The feature extractor that a folder describes."""

    folder: Path
    source: str
    """Name of the file that describes it; "assumed" where none does."""
    made: Any
    """transformers' own object; None where no file describes it."""

    def agrees(self, computed: Callable[[NDArray[np.float32]], Any], **options: Any) -> None:
        """Compare what it makes of a probe with what we do.

        Args:
            computed: ours, of (n,) samples.
            options: of the extractor's call.

        Raises:
            EncoderError: they differ, or it refuses the probe.
        """
        if self.made is None:
            return
        probe = np.random.default_rng(0).normal(0.05, 0.1, 4_000).astype(np.float32)
        try:
            features = self.made(probe, sampling_rate=SAMPLE_RATE, return_tensors="np", **options)
            theirs = np.asarray(features[self.made.model_input_names[0]], np.float64)
        except Exception as error:  # whatever transformers and numpy raise on odd settings
            raise EncoderError(
                f"{self._file} describes a feature extractor that does not work: {one_line(error)}"
            ) from error
        ours = np.asarray(computed(probe), np.float64)
        if theirs.shape != ours.shape or not np.allclose(theirs, ours, rtol=0, atol=1e-4):
            raise EncoderError(
                f"{self._file} describes a feature extractor that does what gensr does not: "
                "restore the settings that the model was trained with"
            )

    def wants(self, **fixed: Any) -> None:
        """Refuse settings that are not followed.

        Args:
            fixed: the value that each must have.

        Raises:
            EncoderError: naming the first that has another.
        """
        for name, value in fixed.items():
            found = value if self.made is None else getattr(self.made, name, value)
            if found != value:
                raise EncoderError(
                    f"{self._file} says {name} {found!r}, and gensr runs this encoder with "
                    f"{value!r} alone"
                )

    @property
    def _file(self) -> Path:
        return self.folder / self.source


def read_extractor(folder: Path, config: Mapping[str, Any], kind: str) -> Extractor:
    """Find and make the feature extractor of a folder, as transformers' AutoFeatureExtractor does.

    Args:
        folder: the encoder's.
        config: its config.json.
        kind: name of the class that this family is heard with.

    Raises:
        EncoderError: the settings cannot be read or used, are those of another class, or ask for
            audio of another rate.
    """
    source, settings = _settings(folder)
    if settings is None:
        return Extractor(folder=folder, source="assumed", made=None)
    where = folder / source
    own = settings.get("feature_extractor_type")
    named = config.get("feature_extractor_type") if own is None else own
    if named is not None and named != kind:
        raise EncoderError(
            f"{where} asks for the feature extractor {named!r}; gensr runs this family with {kind}"
        )
    code = settings.get("auto_map", {})
    if not isinstance(code, Mapping):
        raise EncoderError(f"{where}: its auto_map is no JSON object; take that line out")
    if own is None and "AutoFeatureExtractor" in code:  # named beside it, ours is the fallback
        raise EncoderError(
            f"{where} asks for a feature extractor that the folder brings as code, which gensr "
            f"does not run; where the model was trained with {kind}, name that as its "
            "feature_extractor_type"
        )
    import transformers

    try:
        made = getattr(transformers, kind).from_dict(dict(settings))
    except Exception as error:  # whatever transformers and numpy raise on odd settings
        raise EncoderError(
            f"{where} describes a feature extractor that cannot be made: {one_line(error)}"
        ) from error
    if made.sampling_rate != SAMPLE_RATE:
        raise EncoderError(
            f"{where} asks for audio at {made.sampling_rate!r} Hz; gensr gives every encoder "
            f"{SAMPLE_RATE} Hz"
        )
    return Extractor(folder=folder, source=source, made=made)


def _settings(folder: Path) -> tuple[str, dict[str, Any] | None]:
    """Return the file that holds the extractor's settings, and them; None where there are none."""
    processor = read_json(folder / PROCESSOR) or {}
    key = next((name for name in _NESTED if name in processor), _NESTED[0])
    nested = processor.get(key)
    if nested is None:
        return PREPROCESSOR, read_json(folder / PREPROCESSOR)
    if not isinstance(nested, dict):
        raise EncoderError(f"{folder / PROCESSOR}: its {key} is no JSON object")
    return PROCESSOR, nested


def check_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse what config.json, or a file beside it, asks for and we do not do.

    Raises:
        EncoderError: one line, with a way out.
    """
    import torch  # for its names of types alone

    where = folder / "config.json"
    for key in _ATTENTION:
        if config.get(key) not in _EXACT:
            raise EncoderError(
                f"{where} asks for {key} {config[key]!r}; gensr runs 'sdpa' and 'eager': take that "
                "line out"
            )
    for key in ("dtype", "torch_dtype"):
        named = config.get(key)
        if isinstance(named, str) and not isinstance(getattr(torch, named, None), torch.dtype):
            raise EncoderError(
                f"{where} asks for the {key} {named!r}, which torch does not have: take that line "
                "out; the precision is chosen by --dtype"
            )
    if config.get("quantization_config") is not None:
        raise EncoderError(
            f"{where} has a quantization_config: gensr runs weights as they were trained; pass the "
            "checkpoint that was quantized, with --dtype bfloat16 to save memory"
        )
    if config.get("transformers_weights") is not None:
        raise EncoderError(
            f"{where} names its weights by transformers_weights; rename the file to "
            "model.safetensors, and take that line out"
        )
    if config.get("configuration_files"):
        raise EncoderError(
            f"{where} names configuration_files, one for each version of transformers: put the "
            "one that the model was trained with in its place"
        )
    if config.get("fusion_config"):
        raise EncoderError(
            f"{where} has a fusion_config, which exchanges parts of the model: take that line out"
        )
    shard = next(folder.glob(_SHARDS), None)
    if shard is not None:
        raise EncoderError(
            f"{shard} is a part of a distributed checkpoint, which gensr does not read: save the "
            "model again with save_pretrained, or remove these parts"
        )
    if (folder / ADAPTER).exists():
        raise EncoderError(
            f"{folder / ADAPTER}: the folder holds an adapter of peft, which changes its model; "
            "merge it into the weights (merge_and_unload) and save them, or remove that file"
        )


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a file's JSON object; None where there is no file.

    Raises:
        EncoderError: it holds something else.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{path} is not JSON: {one_line(error)}") from error
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error.strerror or error}") from error
    if not isinstance(content, dict):
        raise EncoderError(f"{path} does not hold a JSON object")
    return content
