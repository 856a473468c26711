"""The systems that are a few lines of Python: run as `python -m extraction_parts.in_process`.

    bare      the encoder alone: random input that already is on the device, in full batches of
              one length, nothing read, nothing averaged; no extraction can be faster
    hf-loop   what a script does: one file at a time through feature extractor and model, the
              mean over time of every hidden state, one array saved at the end
    survey    what `gensr extract` does before it encodes: every file heard, in processes of
              its own, with nothing else to do
    layers    all layers against one: `Encoder.encode` and the model with the mean of its last
              hidden state alone, batch by batch in turn

Each takes its settings as one JSON argument and answers with one JSON line. Clocks start when
the model stands ready; what came before is reported as start-up.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from extraction_parts.clips import RATE, list_clips
from extraction_parts.weights import save_encoder

_TRIAL_SECONDS = 8.0
"""Time spent on each batch size before `bare` settles on the fastest."""


def main(system: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Run one system; its answer is what the parent reads."""
    if system == "weights":
        save_encoder(Path(asked["encoder"]), asked["size"])
        return {}
    torch.backends.cuda.matmul.allow_tf32 = False  # as gensr has it
    torch.backends.cudnn.allow_tf32 = False
    with torch.inference_mode():
        return SYSTEMS[system](asked)


def bare(asked: dict[str, Any]) -> dict[str, Any]:
    """As much audio as the clips hold, at the best of a few batch sizes."""
    model, device, dtype = _model(asked)
    length = asked["samples"] // asked["count"]

    def forward(batch: torch.Tensor) -> None:
        model(batch)

    def filled(clips: int) -> torch.Tensor:
        return torch.randn(clips, length, device=device, dtype=dtype)

    forward(filled(1))
    startup = _since_start()
    sizes = sorted({_clips_of(seconds, length, asked) for seconds in asked["bare_seconds"]})
    speeds = {clips: _trial(forward, filled, clips, length) for clips in sizes}
    clips = max(speeds, key=lambda size: speeds[size])
    batch = filled(clips)
    batches = -(-asked["count"] // clips)
    _wait(device)
    began = time.perf_counter()
    for _ in range(batches):
        forward(batch)
    _wait(device)
    return {
        "audio": batches * clips * length / RATE,
        "work": time.perf_counter() - began,
        "startup": startup,
        "layers": 1,
        "note": f"fastest of {', '.join(map(str, sizes))} clips a batch: {clips}",
    }


def hf_loop(asked: dict[str, Any]) -> dict[str, Any]:
    """One file at a time."""
    import soundfile
    from transformers import AutoFeatureExtractor

    model, device, dtype = _model(asked)
    extractor = AutoFeatureExtractor.from_pretrained(asked["encoder"])

    def encode(samples: Any) -> Any:
        inputs = extractor(samples, sampling_rate=RATE, return_tensors="pt").input_values
        hidden = model(inputs.to(device, dtype), output_hidden_states=True).hidden_states
        return torch.stack([state[0].float().mean(0) for state in hidden]).cpu().numpy()

    encode(np.random.default_rng(0).standard_normal(RATE // 2).astype(np.float32))
    startup = _since_start()
    paths = list_clips(Path(asked["root"]))
    began = time.perf_counter()
    vectors, heard, budget = [], 0, asked["loop_samples"] or asked["samples"]
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        if rate != RATE:
            from torchaudio.functional import resample

            samples = resample(torch.from_numpy(samples), rate, RATE).numpy()
        vectors.append(encode(samples))
        heard += len(samples)
        if heard >= budget:
            break
    np.save(asked["out"], np.stack(vectors))
    return {
        "audio": heard / RATE,
        "work": time.perf_counter() - began,
        "startup": startup,
        "layers": vectors[0].shape[0],
        "note": "" if len(vectors) == len(paths) else f"first {len(vectors)} clips",
    }


def survey(asked: dict[str, Any]) -> dict[str, Any]:
    """Every file heard once; its processes start within the time, as nothing covers them here."""
    from gensr.features.corpora import scan
    from gensr.features.hearing import survey as hearing
    from gensr.features.hearing.decoders import shared_decoders

    found = scan(Path(asked["root"]))
    startup = _since_start()
    began = time.perf_counter()
    shared_decoders().expect(len(found.clips))
    heard = hearing.survey(found.root, found.clips).heard
    work = time.perf_counter() - began
    return {
        "audio": sum(clip.seconds for clip in heard),
        "work": work,
        "startup": startup,
        "layers": 0,
        "note": f"{shared_decoders().count} processes, {len(heard) / work:.0f} files a second",
    }


def layers(asked: dict[str, Any]) -> dict[str, Any]:
    """Every layer's mean, and one, on the same batches: who goes first changes with each."""
    from gensr.features.encoders import load_encoder

    model, device, dtype = _model(asked)
    encoder = load_encoder(
        asked["encoder"], device=asked["device"], dtype=str(dtype).removeprefix("torch.")
    )

    def every(waves: list[Any]) -> int:
        return int(encoder.encode(waves).shape[1])

    def last(waves: list[Any]) -> int:
        batch = np.stack([(wave - wave.mean()) / np.sqrt(wave.var() + 1e-7) for wave in waves])
        hidden = model(torch.from_numpy(batch).to(device, dtype)).last_hidden_state
        hidden.mean(1, dtype=torch.float32).cpu().numpy()
        return 1

    length = asked["samples"] // asked["count"]
    clips = _clips_of(asked["layer_batch_seconds"], length, asked)
    rng = np.random.default_rng(0)
    waves = list(rng.standard_normal((clips, length), dtype=np.float32))
    ways: list[tuple[str, Callable[[list[Any]], int]]] = [("all", every), ("one", last)]
    kept = {name: way(waves) for name, way in ways}
    pairs = max(2, round(asked["layer_samples"] / (2 * clips * length)))
    spent: dict[str, list[float]] = {name: [] for name in kept}
    for i in range(2 * pairs):  # even: each goes first as often as the other
        for name, way in ways if i % 2 else ways[::-1]:
            began = time.perf_counter()
            way(waves)
            spent[name].append(time.perf_counter() - began)
    return {
        "audio": 2 * pairs * clips * length / RATE,
        "work": {name: sum(times) for name, times in spent.items()},
        "price": median(a / b for a, b in zip(spent["all"], spent["one"], strict=True)),
        "layers": kept,
        "note": f"{2 * pairs} batches of {clips} clips",
    }


SYSTEMS = {"bare": bare, "hf-loop": hf_loop, "survey": survey, "layers": layers}


def _model(asked: dict[str, Any]) -> tuple[Any, torch.device, torch.dtype]:
    from transformers import AutoModel

    device, dtype = torch.device(asked["device"]), getattr(torch, asked["dtype"])
    model = AutoModel.from_pretrained(asked["encoder"], dtype=dtype, local_files_only=True)
    return model.eval().to(device), device, dtype


def _clips_of(seconds: float, length: int, asked: dict[str, Any]) -> int:
    """Clips of one length that make a batch of so many seconds, and no more than there are."""
    return min(asked["count"], max(1, round(seconds * RATE / length)))


def _trial(
    forward: Callable[[torch.Tensor], None],
    filled: Callable[[int], torch.Tensor],
    clips: int,
    length: int,
) -> float:
    """Audio seconds a second at one batch size; 0 where it does not fit the device."""
    try:
        batch = filled(clips)
        forward(batch)
        _wait(batch.device)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < _TRIAL_SECONDS and done < 20:
            forward(batch)
            _wait(batch.device)
            done += 1
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return 0.0
    return done * clips * length / RATE / (time.perf_counter() - began)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _since_start() -> float:
    """Seconds since the parent started this process."""
    return time.time() - float(os.environ["STARTED"])


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
