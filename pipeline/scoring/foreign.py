"""Answers of any system to a protocol: named, read, counted, scored, kept beside runs.

    FOLDER/predictions.csv   as a run's; no answer is an empty prediction
    FOLDER/protocol.json     the question
    FOLDER/numbers.json      the numbers, what the answers were, and whose

A clip that was not answered, or with what names no class, counts as wrong: a system is not better
for keeping quiet. The numbers of the answered clips alone stand beside.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gensr.estimator.errors import RunError
from gensr.estimator.files import make_folder, why, write_whole
from gensr.estimator.metrics import Numbers
from gensr.features.store.where import Location, local
from gensr.pipeline.protocols import protocol as protocols
from gensr.pipeline.protocols.protocol import Protocol
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.runs.files import plain_bytes, read_plain
from gensr.pipeline.runs.predictions import Prediction, to_csv
from gensr.pipeline.runs.run import Run, is_run
from gensr.pipeline.runs.sets import runs_of
from gensr.pipeline.scoring.answer_files import Answer, read_answers
from gensr.pipeline.scoring.answered import count
from gensr.pipeline.scoring.errors import AnswersError
from gensr.pipeline.scoring.systems import ANSWERS, is_foreign
from gensr.pipeline.scoring.wording import AMBIGUOUS, MAPPED, MISSED, REFUSED, Reading, Wording
from gensr.pipeline.training.vectors import open_vectors

ABSENT = "absent"
"""A tested clip of which there is no row, or an empty answer."""
OUTCOMES = (MAPPED, AMBIGUOUS, REFUSED, MISSED, ABSENT)
"""What can become of a tested clip, in the order in which it is told."""
_EXAMPLES = 5
"""Answers of each kind that are told as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The numbers of a foreign system, and what became of its answers."""

    system: str
    """Its name."""
    protocol: Protocol
    """The question."""
    predictions: tuple[Prediction, ...]
    """One per tested clip; what is not answered is empty."""
    numbers: Numbers
    """Of all tested clips: what was not answered is wrong."""
    answered: Numbers | None
    """Of the clips that were answered with a class; None where none was."""
    outcomes: dict[str, int]
    """Tested clips by what became of their answer."""
    examples: dict[str, tuple[str, ...]]
    """The commonest answers of each kind that was no class."""
    passed_over: dict[str, int]
    """Rows of the table that no tested clip has, by why."""

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints, and `numbers.json` holds."""
        return {
            "system": self.system,
            **self.numbers.as_json(),
            "protocol": {"hash": self.protocol.hash, **self.protocol.describe()},
            "answers": self.outcomes,
            "examples": {kind: list(texts) for kind, texts in self.examples.items()},
            "passed_over": self.passed_over,
            "answered_only": self.answered.as_json() if self.answered else None,
        }

    def write(self, folder: Path, *, overwrite: bool = False) -> None:
        """Keep it where `gensr compare` takes it beside runs.

        Raises:
            RunError: the folder holds something else, or answers already and not `overwrite`.
        """
        _check_free(folder, overwrite=overwrite)
        make_folder(folder)
        about = self.protocol
        # The numbers last: without them the folder is none of a system's.
        (folder / ANSWERS).unlink(missing_ok=True)
        kept = {
            "hash": about.hash,
            "protocol": about.describe(),
            "clips": about.assignment(),
            "columns": about.facts(),
        }
        write_whole(folder / "protocol.json", plain_bytes(kept))
        shares = all(given.probabilities for given in self.predictions)
        rows = to_csv(about.classes if shares else (), self.predictions)
        write_whole(folder / "predictions.csv", rows)
        told = {**self.as_json(), "sha256": hashlib.sha256(rows).hexdigest()}
        write_whole(folder / ANSWERS, plain_bytes(told))


def score_answers(
    table: Path,
    protocol: Location,
    *,
    name: str | None = None,
    stores: Location | Iterable[Location] | None = None,
    label: str = "emotion",
    labels: str | None = None,
    split_seed: int = 0,
) -> Scored:
    """Score another system's answers.

    Args:
        table: see `answer_files.py`.
        protocol: a run, a set of runs, a folder of `gensr score`, or a `protocol.json`. Of a run
            of some folds alone, those are asked for. With `stores`, a protocol as `gensr train`
            takes it: nothing need be trained to score others' answers.
        name: of the system; default: the name of the table's file.
        stores: whose clips are asked for.
        label: with `stores`, what is asked of them.
        labels: with `stores`, `native` or `canonical` emotions.
        split_seed: with `stores`, of the draws of hold-outs.

    Raises:
        AnswersError: the table cannot be read, names no clip of the protocol, or one twice.
        RunError: there is no protocol, or it tests nothing.
        ProtocolError, StoreError: the stores have no such protocol, or cannot be read.
    """
    if stores is None:
        about, folds = _question(protocol)
    else:
        with open_vectors(stores) as opened:
            about = make_protocol(
                opened.table, name=str(protocol), label=label, labels=labels, seed=split_seed
            )
        folds = {fold.name for fold in about.folds}
    tested = {row: fold.name for fold in about.folds if fold.name in folds for row in fold.test}
    if not tested:
        raise RunError(f"{protocol} tests nothing, so there is nothing to score; pass another")
    answers = read_answers(table, about.classes)
    of_clip, passed_over = _matched(table, answers, about, set(tested))
    wording = Wording(about.classes)
    readings: dict[str, Reading] = {text: wording.read(text) for text in {a.text for a in answers}}
    predictions, outcomes = [], Counter(dict.fromkeys(OUTCOMES, 0))
    said: dict[str, Counter[str]] = {kind: Counter() for kind in OUTCOMES[1:-1]}
    for row in sorted(tested):
        given = of_clip.get(row)
        reading = readings[given.text] if given and given.text else Reading(ABSENT)
        outcomes[reading.outcome] += 1
        if given and reading.outcome in said:
            said[reading.outcome][given.text] += 1
        predictions.append(_prediction(about, row, tested[row], reading.name, given))
    counted = count([predictions], about, blank=True)
    there = counted.predicted[0] < len(about.classes)
    return Scored(
        system=name or table.stem,
        protocol=about,
        predictions=tuple(predictions),
        numbers=counted.numbers(),
        answered=counted.of(there).numbers() if there.any() else None,
        outcomes=dict(outcomes),
        examples={
            kind: tuple(text for text, _ in texts.most_common(_EXAMPLES))
            for kind, texts in said.items()
            if texts
        },
        passed_over=passed_over,
    )


def _question(place: Location) -> tuple[Protocol, set[str]]:
    """The protocol of a place, and the folds that are asked for."""
    path = local(place)
    if path.name.endswith(".json") and path.is_file():
        kept = read_plain(path)
        try:
            about = protocols.from_plain(kept["protocol"], kept["clips"], kept.get("columns"))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path} is no protocol.json of a run (it lacks {error})") from error
        if kept.get("hash") != about.hash:
            raise RunError(
                f"{path} was changed since it was made: its hash is {kept.get('hash')}, its "
                f"question's {about.hash}; take it from its run again"
            )
        return about, {fold.name for fold in about.folds}
    if is_foreign(path):
        about = Run(path).protocol
        return about, {given.fold for given in Run(path).predictions()}
    run = runs_of(place)[0]
    return run.protocol, set(run.config.folds)


def _matched(
    table: Path, answers: Sequence[Answer], about: Protocol, tested: set[int]
) -> tuple[dict[int, Answer], dict[str, int]]:
    """The answer of each tested clip, and why other rows are passed over."""
    find = _Names(about.paths)
    found: dict[int, Answer] = {}
    over: Counter[str] = Counter()
    unknown: list[str] = []
    for answer in answers:
        rows = find.rows(answer.clip)
        asked = [row for row in rows if row in tested]
        if len(asked) > 1:
            raise AnswersError(
                f"{table}, line {answer.line}: {answer.clip} may be {about.paths[asked[0]]} or "
                f"{about.paths[asked[1]]}; name clips by their paths"
            )
        if not asked:
            over["clips that are not tested" if rows else "names of no clip of the protocol"] += 1
            unknown += [] if rows else [answer.clip]
            continue
        before = found.setdefault(asked[0], answer)
        if before is not answer:
            if before.text != answer.text:
                raise AnswersError(
                    f"{table}, lines {before.line} and {answer.line}: two answers to {answer.clip} "
                    f"({before.text!r:.60}; {answer.text!r:.60}); keep one"
                )
            over["rows given twice"] += 1
    if not found:
        first = (unknown or [answers[0].clip])[0]
        raise AnswersError(
            f"{table}: none of its {len(answers)} rows names a tested clip of {about.name}; the "
            f"first is {first}, the protocol has {about.paths[min(tested)]}"
        )
    return found, dict(over)


class _Names:
    """Clips of a protocol by what others call them: the path, its end, or the name alone."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._exact = {path: [row] for row, path in enumerate(paths)}
        self._ends: dict[tuple[str, ...], list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        for row, path in enumerate(paths):
            parts = _parts(path)
            for start in range(len(parts)):
                self._ends.setdefault(parts[start:], []).append(row)
            self._stems.setdefault(PurePosixPath(parts[-1]).stem if parts else path, []).append(row)

    def rows(self, name: str) -> list[int]:
        """Rows that a name may mean, by the strictest way that finds any."""
        if name in self._exact:
            return self._exact[name]
        parts = _parts(name)
        for start in range(len(parts)):  # /data/emodb/wav/a.wav: the longest end that there is
            if rows := self._ends.get(parts[start:]):
                return rows
        last = parts[-1] if parts else ""
        return self._stems.get(last) or self._stems.get(PurePosixPath(last).stem, [])


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def _prediction(
    about: Protocol, row: int, fold: str, predicted: str, given: Answer | None
) -> Prediction:
    def fact(column: str) -> str:
        values = about.columns.get(column)
        return values[row] if values else ""

    return Prediction(
        path=about.paths[row],
        fold=fold,
        label=about.classes[about.labels[row]],
        predicted=predicted,
        probabilities=given.probabilities if given else (),
        speaker=fact("speaker") or (about.clusters[row] if about.cluster == "speaker" else ""),
        corpus=fact("corpus") or (about.corpora[0] if len(about.corpora) == 1 else ""),
    )


def _check_free(folder: Path, *, overwrite: bool) -> None:
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return
        ours = folder.is_dir() and not is_run(folder) and _only_ours(folder.iterdir())
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {why(error)}; pass another --out") from error
    if not ours:
        raise RunError(f"{folder} holds something else than answers; pass another --out")
    if not overwrite:
        raise RunError(f"{folder} holds answers already; pass --overwrite, or another --out")


def _only_ours(paths: Iterable[Path]) -> bool:
    """Whether a folder holds what `write` writes, be it cut short, and nothing else."""
    return {path.name for path in paths} <= {"predictions.csv", "protocol.json", ANSWERS}
