"""Speech in, emotion out: encode clips as the run's store was made, and ask the deployed model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gensr.estimator.device import pick_device
from gensr.estimator.errors import EncoderError, RunError
from gensr.estimator.model import Model, predict
from gensr.estimator.registry import ModelSpec, load_model
from gensr.features.audio import SAMPLE_RATE
from gensr.features.corpora import Problem
from gensr.features.encoders import Encoder, EncoderMemoryError, load_encoder
from gensr.features.encoders.load import CONTEXTS
from gensr.features.encoding import Clips, encode_clips
from gensr.features.survey import closed_at_the_end, hear_in_children, other_length
from gensr.features.verdict import Verdict
from gensr.features.windows import Batching
from gensr.pipeline.extract_config import BATCH_SECONDS
from gensr.pipeline.inputs import inputs_of, shown
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.run import Run

CLIPS_AT_ONCE = 64
"""Clips that are heard before they are encoded together: what waits is bounded."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard in one clip."""

    path: str
    predicted: str
    probabilities: dict[str, float]
    """Per class, summing to one."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Answers in the order of the files, and the files that have none."""

    answers: tuple[Answer, ...]
    failed: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    """What manifests had worth saying."""


def predict_clips(
    inputs: Sequence[Path],
    run: Run,
    *,
    encoder: str | None = None,
    device: str = "auto",
    allow_outside: bool = False,
    progress: Listener | None = None,
) -> Prediction:
    """Answer audio files, parts of them, every audio file under folders, and manifests' clips.

    Args:
        inputs: files (`talk.wav`), parts (`talk.wav#t=1.5,4`), manifests, and folders.
        run: trained with `--fold none`.
        encoder: where the encoder is now, if not where it was at extraction.
        device: for the encoder and the model.
        allow_outside: whether a manifest may name files outside its folder.
        progress: told how far it is.

    Raises:
        RunError: the run is not for use, or the encoder is not the one it was trained on.
        CorpusError: an input does not exist, is a broken manifest, or there is no audio.
        EncoderError: memory ran out.
    """
    model, spec = _deployed(run, device)
    asked = inputs_of(inputs, allow_outside=allow_outside)
    files = asked.clips
    ears = _same_encoder(run, encoder, device)
    batching = _as_extracted(run, ears)
    listener = progress or Silent()
    listener.stage("predict", len(files))
    answers: list[Answer] = []
    failed = list(asked.problems)
    with closed_at_the_end(hear_in_children(files, {})) as verdicts:
        heard = zip(files, verdicts, strict=True)
        while part := list(islice(heard, CLIPS_AT_ONCE)):
            clips, problems = _sorted_out(part, asked.lengths)
            failed += problems
            if clips.paths:
                try:
                    answers += _answers(clips, ears, batching, model, spec)
                except EncoderMemoryError as error:
                    raise EncoderError(f"{error}: pass --device cpu, or cut long clips") from error
            listener.advance(len(part), clips.seconds)
    return Prediction(tuple(answers), tuple(failed), asked.notes)


def _deployed(run: Run, device: str) -> tuple[Model, ModelSpec]:
    config = run.config
    if config["fold"] != "none":
        folds = len(config["folds"])
        raise RunError(
            f"{run.folder} was trained to be evaluated: {folds} model{'s' * (folds > 1)}, each "
            "with speakers left out; train with --fold none for one model that learns from all"
        )
    run.predictions()  # an unfinished training has none
    return load_model(run.fold("all"), pick_device(device))


def _same_encoder(run: Run, name: str | None, device: str) -> Encoder:
    """The encoder of the run's store, checked by the hash of its weights."""
    asked: dict[str, Any] = run.config["encoder"]
    context = asked.get("context")
    try:
        encoder = load_encoder(
            name or asked["name"],
            revision=None if name else asked.get("revision"),
            device=device,
            dtype=asked["dtype"],
            context=context if context in CONTEXTS else "full",
        )
    except EncoderError as error:
        if name:
            raise
        raise RunError(
            f"{run.folder} needs the encoder {asked['name']}, which was a local folder or cannot "
            f"be had now ({error}); pass --encoder DIR"
        ) from error
    found = encoder.provenance()
    for key in ("family", "weights_sha256", "config_sha256", "x1", "preprocessing"):
        if found.get(key) != asked.get(key):
            raise RunError(
                f"{run.folder} was trained on vectors of {asked['name']} with {key} "
                f"{asked.get(key)}, but {encoder.name} has {found.get(key)}; pass the same "
                "encoder with --encoder"
            )
    return encoder


def _as_extracted(run: Run, ears: Encoder) -> Batching:
    """Cut long clips as the run's store was made."""
    longest = round(run.config["encoder"]["max_seconds"] * SAMPLE_RATE)
    return Batching(
        batch_samples=round(BATCH_SECONDS[ears.device] * SAMPLE_RATE),
        longest=longest,
        equal_lengths=ears.equal_lengths,
    )


def _sorted_out(
    answered: Sequence[tuple[Path, tuple[str, Verdict]]],
    lengths: Mapping[Path, tuple[float, float]],
) -> tuple[Clips, list[Problem]]:
    """Part files by the verdicts on them: what can be used, and what cannot."""
    heard: list[tuple[Path, str, Verdict]] = []
    problems = []
    for path, (file_sha256, verdict) in answered:
        if reason := verdict.reason or other_length(lengths.get(path), verdict):
            problems.append(Problem(path=shown(path), reason=reason))
        else:
            heard.append((path, file_sha256, verdict))
    clips = Clips(
        root=Path(),
        paths=tuple(str(path) for path, _, _ in heard),
        samples=tuple(verdict.samples for _, _, verdict in heard),
        file_sha256=tuple(file_sha256 for _, file_sha256, _ in heard),
        audio_sha256=tuple(verdict.audio_sha256 for _, _, verdict in heard),
    )
    return clips, problems


def _answers(
    clips: Clips, ears: Encoder, batching: Batching, model: Model, spec: ModelSpec
) -> list[Answer]:
    wanted = [ears.layers.index(name) for name in spec.layers]
    (vectors,) = encode_clips([clips], ears, batching)
    device = next(model.parameters()).device
    x = torch.from_numpy(vectors[:, wanted]).to(device)
    p = predict(model, x).double().cpu().numpy()
    return [
        Answer(
            path=shown(Path(path)),
            predicted=spec.classes[int(np.argmax(given))],
            probabilities=dict(zip(spec.classes, map(float, given), strict=True)),
        )
        for path, given in zip(clips.paths, p, strict=True)
    ]
