"""Speech in, emotion out: encode clips as the run's store was made, and ask the deployed model."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gensr.estimator.calibration import with_temperature
from gensr.estimator.device import pick_device
from gensr.estimator.errors import ConfigError, RunError
from gensr.estimator.models.classifier import Classifier
from gensr.estimator.models.spec import ModelSpec
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.corpora import Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.encoders import Encoder, EncoderMemoryError, load_encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.load import CONTEXTS
from gensr.features.encoders.registry import ENCODERS
from gensr.features.encoding.encode import Clips, encode_clips
from gensr.features.encoding.windows import Batching
from gensr.features.hearing.survey import closed_at_the_end, hear_in_children, other_length
from gensr.features.hearing.verdict import Verdict
from gensr.features.same_encoder import first_difference, named
from gensr.features.store.where import Location
from gensr.pipeline.extraction.config import batch_seconds
from gensr.pipeline.extraction.encoder_folders import recall, remember
from gensr.pipeline.importing.given import IMPORTED
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.runs.dev import Temperature, temperatures
from gensr.pipeline.runs.models import load_deployed
from gensr.pipeline.runs.run import Run
from gensr.pipeline.use.answers import Answer, Answers
from gensr.pipeline.use.inputs import Inputs, Sound, inputs_of

CLIPS_AT_ONCE = 64
"""Clips that are heard before they are encoded together: what waits is bounded."""


def predict(
    inputs: Sound | Iterable[Sound],
    run: Run | Location,
    *,
    encoder: Location | None = None,
    device: str = "auto",
    allow_outside: bool = False,
    raw: bool = False,
    enrol: Sound | Iterable[Sound] | None = None,
    progress: Listener | None = None,
) -> Answers:
    """Answer audio files, parts of them, every audio file under folders, manifests' clips, samples.

    Args:
        inputs: one or several files (`talk.wav`), parts (`talk.wav#t=1.5,4`), manifests, folders,
            and pairs of samples, (n,) or (n, channels), and their rate in Hz.
        run: trained with `--fold none`, or its folder.
        encoder: where the encoder is now, if not where it was at extraction.
        device: for the encoder and the model.
        allow_outside: whether a manifest may name files outside its folder.
        raw: leave the probabilities as the model gives them; else a run that was trained with
            `--calibrate` answers after its temperature. The answer is the same class.
        enrol: unlabelled clips of the one who speaks in all inputs, as `inputs` takes them: for a
            run that was trained with `--enrol speaker`, and no other.
        progress: told how far it is.

    Returns:
        A table that pandas and polars take, a row per clip, in the order given.

    Raises:
        RunError: the run is not for use, or the encoder is not the one it was trained on.
        CorpusError: an input does not exist, is a broken manifest or no samples, or there is no
            audio.
        EncoderError: memory ran out.
    """
    run = Run.of(run)
    model, spec = load_deployed(run, pick_device(device))
    _check_enrolled(run, enrol is not None)
    fitted = None if raw else temperatures(run).get("all")
    with TemporaryDirectory(prefix="gensr-") as room:
        asked = inputs_of(inputs, allow_outside=allow_outside, room=Path(room))
        ears = _same_encoder(run, None if encoder is None else str(encoder), device)
        listener = progress or Silent()
        made = Making(ears, _as_extracted(run, ears), model, spec)
        notes = asked.notes
        if enrol is not None:
            made, said = _enrolled(made, enrol, allow_outside, Path(room), listener)
            notes = (*notes, *said)
        listener.stage("predict", len(asked.clips))
        rows, failed = _hear(asked, made, listener)
    if fitted is None:
        return Answers(spec.classes, rows, (*asked.problems, *failed), notes)
    rows = _after_temperature(rows, fitted)
    by = fitted.temperature, fitted.doubt
    return Answers(spec.classes, rows, (*asked.problems, *failed), notes, *by)


@dataclass(frozen=True, slots=True)
class Making:
    """What makes an answer of audio."""

    ears: Encoder
    batching: Batching
    model: Classifier
    spec: ModelSpec
    mean: NDArray[np.float32] | None = None
    """(K+1, L), of the clips that enrol the speaker; None: nobody is enrolled."""

    def vectors(self, clips: Clips) -> NDArray[np.float32]:
        """(n, K+1, L) of clips, as the model reads them."""
        wanted = [self.ears.layers.index(name) for name in self.spec.layers]
        try:
            (vectors,) = encode_clips([clips], self.ears, self.batching)
        except EncoderMemoryError as error:
            raise EncoderError(f"{error}: pass --device cpu, or cut long clips") from error
        x: NDArray[np.float32] = vectors[:, wanted]
        return x if self.mean is None else x - self.mean


def _check_enrolled(run: Run, given: bool) -> None:
    """Refuse a speaker for a run that knows of none, and the other way round."""
    if run.config.enrol_clips and not given:
        raise ConfigError(
            f"{run.folder} was trained with --enrol speaker, on vectors less their speaker's mean: "
            "pass --enrol with some clips of the one who speaks"
        )
    if given and not run.config.enrol_clips:
        raise ConfigError(
            f"{run.folder} was trained without enrolment; drop --enrol, or train with --enrol "
            "speaker"
        )


def _enrolled(
    made: Making, given: Any, allow_outside: bool, room: Path, listener: Listener
) -> tuple[Making, tuple[str, ...]]:
    """The same for one speaker, by the mean of the clips that can be used; and what cannot."""
    apart = room / "enrol"
    apart.mkdir()
    asked = inputs_of(given, allow_outside=allow_outside, room=apart)
    listener.stage("enrol", len(asked.clips))
    notes = [f"not enrolled by {one.path}: {one.reason}" for one in asked.problems]
    parts = []
    with closing(_heard(asked, listener)) as heard:
        for clips, problems in heard:
            notes += [f"not enrolled by {one.path}: {one.reason}" for one in problems]
            if clips.paths:
                parts.append(made.vectors(clips))
    if not parts:
        raise CorpusError("none of the clips of --enrol can be used; pass others of the speaker")
    mean = np.concatenate(parts).mean(0, dtype=np.float64).astype(np.float32)
    return replace(made, mean=mean), (*asked.notes, *notes)


def _heard(asked: Inputs, listener: Listener) -> Generator[tuple[Clips, list[Problem]], None, None]:
    """What can be used and what cannot, a few dozen clips at a time."""
    with closed_at_the_end(hear_in_children(asked.clips, {})) as verdicts:
        heard = zip(asked.clips, verdicts, strict=True)
        while part := list(islice(heard, CLIPS_AT_ONCE)):
            clips, problems = _sorted_out(part, asked)
            yield clips, problems
            listener.advance(len(part), clips.seconds)


def _hear(asked: Inputs, made: Making, listener: Listener) -> tuple[list[Answer], list[Problem]]:
    """Answer what can be used."""
    rows: list[Answer] = []
    failed: list[Problem] = []
    with closing(_heard(asked, listener)) as heard:
        for clips, problems in heard:
            failed += problems
            if clips.paths:
                rows += _answers(clips, made, asked)
    return rows, failed


def _after_temperature(rows: Sequence[Answer], fitted: Temperature) -> list[Answer]:
    """The same answers, by probabilities that were found to be worth what they say."""
    p = np.array([list(row.probabilities.values()) for row in rows])
    scaled = with_temperature(p, fitted.temperature, fitted.doubt).tolist() if rows else []
    return [
        replace(row, probabilities=dict(zip(row.probabilities, each, strict=True)))
        for row, each in zip(rows, scaled, strict=True)
    ]


def _same_encoder(run: Run, name: str | None, device: str) -> Encoder:
    """The encoder of the run's store, checked by the hashes of its weights and its config."""
    asked = run.config.encoder
    if asked.get("family") == IMPORTED:
        raise RunError(
            f"{run.folder} learnt from vectors that were imported ({named(asked)}), which gensr "
            "cannot make of speech: import those of the new clips as well and ask its model "
            "(docs/importing.md), or train on a store that `gensr extract` made"
        )
    context = asked.get("context")
    place, revision = (name, None) if name else _place(asked)
    try:
        if place is None:
            raise EncoderError("it was a local folder, and is not where it was")
        encoder = load_encoder(
            place,
            revision=revision,
            device=device,
            dtype=asked.get("dtype") or "float32",
            context=context if context in CONTEXTS else "full",
        )
    except EncoderError as error:
        if name:
            raise
        raise RunError(
            f"{run.folder} needs the encoder {named(asked)}, which cannot be had now ({error}); "
            "pass --encoder DIR"
        ) from error
    known = {key: value for key, value in asked.items() if key != "max_seconds"}
    names = ("in the run", f"in {place}" if place != encoder.name else "now")
    if told := first_difference(known, encoder.provenance(), names=names):
        raise RunError(
            f"{run.folder} was trained on vectors of another encoder ({told}); pass the same "
            "encoder with --encoder"
        )
    if name and Path(name).is_dir():  # it was moved, and is found there the next time
        remember(asked, Path(name))
    return encoder


def _place(asked: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return where an encoder is to be had, a name and a revision; None where nobody knows.

    A local folder's name is not asked for on the hub, where it would be somebody else's. A hub id
    is, unless this machine has it in a folder.
    """
    name, revision = asked.get("name"), asked.get("revision")
    folder = recall(asked)
    if folder is not None:
        return str(folder), None
    if name in ENCODERS:
        return name, None
    if revision is not None:
        return name, revision
    return (name if name and Path(name).is_dir() else None), None


def _as_extracted(run: Run, ears: Encoder) -> Batching:
    """Cut long clips as the run's store was made."""
    longest = run.config.encoder.get("max_seconds")
    if longest is None:
        raise RunError(
            f"{run.folder} does not say how much its encoder hears at once (max_seconds); train on "
            "a store that `gensr extract` made"
        )
    return Batching(
        batch_samples=round(batch_seconds(ears) * SAMPLE_RATE),
        longest=round(longest * SAMPLE_RATE),
        equal_lengths=ears.equal_lengths,
    )


def _sorted_out(
    answered: Sequence[tuple[Path, tuple[str, Verdict]]],
    asked: Inputs,
) -> tuple[Clips, list[Problem]]:
    """Part files by the verdicts on them: what can be used, and what cannot."""
    heard: list[tuple[Path, str, Verdict]] = []
    problems = []
    for path, (file_sha256, verdict) in answered:
        if reason := verdict.reason or other_length(asked.lengths.get(path), verdict):
            problems.append(Problem(path=asked.name(path), reason=reason))
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


def _answers(clips: Clips, made: Making, asked: Inputs) -> list[Answer]:
    x = torch.from_numpy(made.vectors(clips)).to(made.model.device)
    p = made.model.predict(x).double().cpu().numpy()
    classes = made.spec.classes
    return [
        Answer(
            path=asked.name(Path(path)),
            predicted=classes[int(np.argmax(given))],
            probabilities=dict(zip(classes, map(float, given), strict=True)),
        )
        for path, given in zip(clips.paths, p, strict=True)
    ]
