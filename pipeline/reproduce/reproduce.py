"""One experiment of the paper, run with what there is, and written down beside the paper's figures.

What lacks is said where its figure would stand, never left out; with nothing here at all the
answer is what to obtain, from where, under which licence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensr.estimator.errors import ConfigError, GensrError
from gensr.estimator.files import make_folder, write_whole
from gensr.features.encoders.resolve import is_here
from gensr.features.shown import in_json
from gensr.features.store.where import Location, local
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.reproduce import obtain, paper, tables
from gensr.pipeline.reproduce.errors import ReproduceError
from gensr.pipeline.reproduce.measure import Measured, Versus, measured, versus_all
from gensr.pipeline.reproduce.present import Present, look
from gensr.pipeline.reproduce.questions import Question, questions
from gensr.pipeline.reproduce.sweep import answers_by_steps, draw_way, mean_way
from gensr.pipeline.reproduce.systems import Budget, Workshop
from gensr.pipeline.reproduce.tables import Found, Key, Table

EXPERIMENTS = ("table1", "table2", "table3", "fig1")
MODELS = ("gen-ser", "linear", "transformer-ce")
"""Gen-SER and its controls: a classification layer, and the same network with cross-entropy."""
_DEFAULT = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduced:
    """What came of an experiment."""

    experiment: str
    tables: tuple[Table, ...]
    pictures: tuple[Path, ...]
    lacking: tuple[str, ...]
    """What to obtain, a line each, where something lacks."""
    notes: tuple[str, ...]
    """What the extractions and trainings said."""
    files: tuple[Path, ...] = ()
    """What was written."""

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "experiment": self.experiment,
            "tables": [table.as_json() for table in self.tables],
            "pictures": [str(path) for path in self.pictures],
            "lacking": list(self.lacking),
            "notes": list(self.notes),
        }


def reproduce(
    experiment: str,
    corpora: Location,
    *,
    encoders: Sequence[str] = (),
    out: Location = "reproduced",
    budget: Budget = _DEFAULT,
    progress: Listener | None = None,
) -> Reproduced:
    """Run an experiment of the paper with what there is.

    Args:
        experiment: one of `EXPERIMENTS`.
        corpora: the folder that holds the corpora, each in a folder of its own.
        encoders: hub ids, folders, `fbank`; default: those of the paper that are here already,
            and `fbank`.
        out: where stores, runs and results go; what is there already is not made again.
        budget: seeds, steps, device.
        progress: told how far it is.

    Returns:
        Tables with the paper's figures and ours, written to `out` as well.

    Raises:
        ReproduceError: there is no such experiment, or none of the paper's corpora is here.
        ConfigError, RunError: `out` holds another experiment's settings.
    """
    if experiment not in EXPERIMENTS:
        raise ReproduceError(
            f"no experiment {experiment!r} of the paper; choose one of {', '.join(EXPERIMENTS)}"
        )
    there = look(local(corpora))
    if not there.folders:
        raise ReproduceError(_nothing(experiment, local(corpora)))
    asked = tuple(encoders) or _here()
    shop = Workshop(local(out), there.folders, budget, progress or Silent())
    making = _Making(experiment, shop, there, asked, budget, progress or Silent())
    made = tuple(making.tables())
    result = Reproduced(
        experiment=experiment,
        tables=made,
        pictures=tuple(making.pictures),
        lacking=obtain.to_get(experiment, there.missing, asked),
        notes=tuple(shop.notes),
    )
    return _written(result, local(out))


def _here() -> tuple[str, ...]:
    """The paper's encoders that need no download, and fbank."""
    return (*(name for name in (paper.HUBERT, paper.WAVLM) if is_here(name)), "fbank")


def _nothing(experiment: str, root: Path) -> str:
    every = "; ".join(obtain.to_get(experiment, obtain.CORPORA, ()))
    return (
        f"{root} holds none of the paper's corpora; obtain one or more, each into a folder of its "
        f"own there, and an encoder: {every}"
    )


class _Making:
    """An experiment while it is run."""

    def __init__(
        self,
        experiment: str,
        shop: Workshop,
        there: Present,
        encoders: Sequence[str],
        budget: Budget,
        listener: Listener,
    ) -> None:
        self.experiment, self.shop, self.there = experiment, shop, there
        self.encoders, self.budget, self.listener = encoders, budget, listener
        self.pictures: list[Path] = []
        self._called = dict(zip(encoders, _short(encoders), strict=True))

    def tables(self) -> Iterator[Table]:
        """Each table as it is ready."""
        if self.experiment in ("table1", "table2"):
            yield from self._comparison()
        elif self.experiment == "table3":
            yield from self._steps()
        else:
            yield from self._ways()

    def _comparison(self) -> Iterator[Table]:
        """Tables 1 and 2."""
        first = self.experiment == "table1"
        asked = questions("emotion" if first else "gender", self.there.folders)
        systems = paper.TABLE1 if first else paper.TABLE2
        title = "Table 1, emotion, MELD's official test" if first else "Table 2, gender, AIR-Bench"
        mine = [question for question in asked if question.of_paper]
        if not mine:
            yield tables.of_paper(title, systems, {}, self._why())
        for question in asked:
            found = self._measure(question)
            if question.of_paper:
                notes = [f"ours lacks, to learn from: {one}" for one in question.lacks]
                why = "its encoder was not asked for (--encoder)"
                yield tables.of_paper(title, systems, found, why, notes)
            yield tables.of_question(question, found, self._versus(found), self._called)

    def _measure(self, question: Question) -> Found:
        found: dict[Key, Measured | str] = {}
        for encoder in self.encoders:
            for model in MODELS:
                try:
                    runs = self.shop.runs(question, encoder, model)
                    found[encoder, model] = measured(runs)
                except ConfigError:
                    raise
                except GensrError as error:
                    found[encoder, model] = f"not measured: {error}"
        return found

    def _versus(self, found: Found) -> dict[Key, Versus]:
        """How far Gen-SER is ahead of each control on the same vectors."""
        told: dict[Key, Versus] = {}
        for encoder in self.encoders:
            ours = found[encoder, "gen-ser"]
            rivals = {
                model: one
                for model in MODELS[1:]
                if isinstance(one := found[encoder, model], Measured)
            }
            if isinstance(ours, Measured):
                ahead = versus_all(ours, rivals)
                told |= {(encoder, model): one for model, one in ahead.items()}
        return told

    def _steps(self) -> Iterator[Table]:
        """Table 3."""
        asked = questions("emotion", self.there.folders)
        if not any(question.of_paper for question in asked):
            yield tables.of_steps(None, "", {}, {}, self._why())
        for question in asked:
            for encoder in self.encoders:
                try:
                    runs = self.shop.runs(question, encoder, "gen-ser")
                except ConfigError:
                    raise
                except GensrError as error:
                    yield tables.of_steps(question, self._called[encoder], {}, {}, str(error))
                    continue
                answers = answers_by_steps(
                    runs, list(paper.TABLE3), self.budget.device, self.listener
                )
                by_steps = {N: measured(runs, given) for N, given in answers.items()}
                few, *more = sorted(by_steps)
                ahead = versus_all(by_steps[few], {N: by_steps[N] for N in more}, forward=False)
                yield tables.of_steps(question, self._called[encoder], by_steps, ahead)

    def _ways(self) -> Iterator[Table]:
        """Fig. 1."""
        rows = []
        for question in questions("emotion", self.there.folders):
            for encoder in self.encoders:
                called = self._called[encoder]
                try:
                    first = self.shop.runs(question, encoder, "gen-ser")[0]
                except ConfigError:
                    raise
                except GensrError as error:
                    rows.append((question.title, called, f"not measured: {error}"))
                    continue
                way = mean_way(first, self.budget.device)
                if way is None:
                    rows.append((question.title, called, "no clip of its first class is tested"))
                    continue
                path = self.shop.out / f"fig1-{question.name}-{called}.png"
                draw_way(way, f"{question.title}, {called}", path)
                self.pictures.append(path)
                rows.append((question.title, called, f"{way.name}, {way.clips} clips: {path.name}"))
        yield Table(
            title="Fig. 1, the mean way of a class from speech to its code",
            columns=("question", "encoder", "class"),
            rows=tuple(rows),
            notes=() if "meld" in self.there.folders else (f"the paper's own: {self._why()}",),
        )

    def _why(self) -> str:
        if self.experiment == "table2":
            return "AIR-Bench's gender clips and 1,023 hours of in-house speech are not here"
        return self.there.missing.get("meld", "MELD audio missing")


def _short(encoders: Sequence[str]) -> list[str]:
    """Names for a person: the last part, where those differ."""
    names = [encoder.rstrip("/").rpartition("/")[2] or encoder for encoder in encoders]
    return names if len(set(names)) == len(names) else list(encoders)


def _written(result: Reproduced, out: Path) -> Reproduced:
    """Keep it as a page of text, and as JSON."""
    make_folder(out)
    page, plain = out / f"{result.experiment}.md", out / f"{result.experiment}.json"
    text = "\n".join(table.markdown() for table in result.tables)
    if result.lacking:
        text += "\n**To obtain**\n\n" + "\n".join(f"- {line}" for line in result.lacking) + "\n"
    write_whole(page, text.encode())
    write_whole(plain, in_json(result.as_json()).encode())
    return Reproduced(
        experiment=result.experiment,
        tables=result.tables,
        pictures=result.pictures,
        lacking=result.lacking,
        notes=result.notes,
        files=(page, plain),
    )
