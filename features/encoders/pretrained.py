"""A folder in Hugging Face layout, loaded strictly: every weight from the file, or an error.

transformers fills weights it does not find with random numbers and a log line. The vectors of
such an encoder look like any others, so here it is an error.
"""

import hashlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils import parametrize

from gensr.estimator.errors import one_line
from gensr.features.audio.hashes import hash_bytes
from gensr.features.encoders.base import library_versions
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.memory import enough_memory
from gensr.features.encoders.resolve import Source
from gensr.features.encoders.settings import Extractor, check_config, read_extractor, read_json
from gensr.features.hearing.decode import resampling_provenance

FAMILIES = ("hubert", "wavlm", "wav2vec2", "data2vec-audio", "whisper")
"""`model_type` of config.json."""

_UNUSED = ("masked_spec_embed",)
"""A weight of training alone; checkpoints may lack it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretrained:
    """A pretrained model, loaded, and where it came from."""

    model: Any
    """The transformers model: frozen, in eval mode, on its device."""
    device: torch.device
    dtype: torch.dtype
    model_type: str
    """One of `FAMILIES`."""
    source: Source
    weights_sha256: str
    """See `hash_weights`."""
    config_sha256: str
    """Of config.json, which says how the weights are used."""
    extractor: Extractor
    """What its folder says of the waveform that the model wants."""

    def provenance(self, *, x1: str, context: str, normalisation: str) -> dict[str, Any]:
        """What the vectors depend on, as JSON; the arguments are what the family adds."""
        return {
            "family": self.model_type,
            "name": self.source.name,
            "revision": self.source.revision,
            "weights_sha256": self.weights_sha256,
            "config_sha256": self.config_sha256,
            "dtype": str(self.dtype).removeprefix("torch."),
            "x1": x1,
            "context": context,
            "preprocessing": {**resampling_provenance(), "normalisation": normalisation},
            "libraries": library_versions("torch", "transformers"),
        }


def load_pretrained(source: Source, *, device: torch.device, dtype: str) -> Pretrained:
    """Load a model for inference.

    Args:
        source: its files.
        device: where to put it.
        dtype: name of a torch dtype, for weights and activations.

    Raises:
        EncoderError: a file is missing or damaged, or the model is of a kind gensr cannot run.
    """
    folder = source.folder
    config = read_json(folder / "config.json")
    if config is None:
        raise EncoderError(
            f"{folder} has no config.json; pass a folder in Hugging Face layout "
            "(config.json and model.safetensors), or --encoder fbank"
        )
    model_type = config.get("model_type")
    if model_type not in FAMILIES:
        raise EncoderError(
            f"{folder} holds a model of type {model_type!r}; gensr runs {', '.join(FAMILIES)}"
        )
    check_config(folder, config)
    kind = "WhisperFeatureExtractor" if model_type == "whisper" else "Wav2Vec2FeatureExtractor"
    extractor = read_extractor(folder, config, kind)
    weights = weight_files(folder)
    torch_dtype: torch.dtype = getattr(torch, dtype)
    # Read once more, for their hash, while transformers is imported and reads them itself.
    with ThreadPoolExecutor(1, "hash") as thread:
        hashed = thread.submit(hash_weights, weights)
        model = _load_model(folder, weights, torch_dtype, whisper=model_type == "whisper")
        weights_sha256 = hashed.result()
    model.requires_grad_(False)
    # Whatever the checkpoint asks for: kept, the hidden states of all layers would fill the device.
    model.config.output_hidden_states = model.config.output_attentions = False
    model.config.return_dict, model.config.torchscript = True, False  # tuples, by other names
    with enough_memory(
        f"while {folder} was put on {device}: pass --dtype bfloat16, or --device cpu"
    ):
        model = model.eval().to(device)
        _settle(model)
    return Pretrained(
        model=model,
        device=device,
        dtype=torch_dtype,
        model_type=model_type,
        source=source,
        weights_sha256=weights_sha256,
        config_sha256=_sha256(folder / "config.json"),
        extractor=extractor,
    )


def weight_files(folder: Path) -> list[Path]:
    """Return the files transformers will load: safetensors before pickles, whole before parts."""
    for single in ("model.safetensors", "pytorch_model.bin"):
        if (folder / single).is_file():
            return [folder / single]
        index = read_json(folder / f"{single}.index.json")
        if index is not None:
            parts = _parts(folder / f"{single}.index.json", index.get("weight_map"))
            missing = [part.name for part in parts if not part.is_file()]
            if missing or not parts:
                raise EncoderError(f"{folder} lacks a part of its weights: {', '.join(missing)}")
            return parts
    raise EncoderError(f"{folder} holds no weights: no model.safetensors, no pytorch_model.bin")


def _parts(index: Path, weight_map: Any) -> list[Path]:
    """Return the files that an index names."""
    names: Iterable[Any] = weight_map.values() if isinstance(weight_map, dict) else [None]
    if not all(isinstance(name, str) for name in names):
        raise EncoderError(f"{index}: its weight_map does not name files; download it again")
    return sorted({index.parent / name for name in names})


def hash_weights(files: list[Path]) -> str:
    """SHA-256 of the weights' file; of the parts' own hashes where there are several.

    Of files, not of tensors: it is the number the hub shows beside a file, costs one read, and
    depends neither on the dtype asked for nor on how transformers names what it has loaded.
    """
    digests = [_sha256(file) for file in files]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _load_model(folder: Path, weights: list[Path], dtype: torch.dtype, *, whisper: bool) -> Any:
    from transformers import AutoModel

    try:
        with _quiet():
            model, report = AutoModel.from_pretrained(
                folder,
                dtype=dtype,
                output_loading_info=True,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=weights[0].suffix == ".safetensors",
                weights_only=True,
            )
    except Exception as error:  # whatever safetensors, pickle and transformers raise on damage
        raise EncoderError(
            f"the encoder in {folder} cannot be loaded: {one_line(error)}"
        ) from error
    prefix = "encoder." if whisper else ""
    random = _lost(report["missing_keys"], prefix)
    wrong = _lost((key[0] for key in report["mismatched_keys"]), prefix)
    if random or wrong:
        names = [*random, *wrong]
        raise EncoderError(
            f"the weights in {folder} do not fill the model: {len(names)} tensors are missing or "
            f"of another shape, first {names[0]}; is this the checkpoint of its config.json?"
        )
    return model.get_encoder() if whisper else model


def _settle(model: torch.nn.Module) -> None:
    """Compute once what is computed of other weights, as the positional convolution's are.

    transformers would do it at each forward, with the same bits for result.
    """
    for module in model.modules():
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name)


def _lost(keys: Iterable[str], prefix: str) -> list[str]:
    return sorted(
        key for key in keys if key.startswith(prefix) and key.rsplit(".", 1)[-1] not in _UNUSED
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers off the terminal while it loads, and leave its settings as they were."""
    from transformers.utils import logging as hf_logging

    level, bars = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity(logging.CRITICAL)
    hf_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        hf_logging.set_verbosity(level)
        if bars:
            hf_logging.enable_progress_bar()


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hash_bytes(file)
