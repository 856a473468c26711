"""Which default, and does the path help? The study of docs/results/study.md, step by step.

    python benchmarks/study.py dev STORES        # candidates, by development parts
    python benchmarks/study.py choose            # what the rule picks of them
    python benchmarks/study.py test STORES RUNS  # the default, its rivals and ablations, once
    python benchmarks/study.py tables            # what came of it

STORES is a folder of emodb-clip.zarr, emodb-fbank.zarr, emodb-full.zarr, and the same of ravdess:
whisper-base with `--context clip` and `full`, and fbank. Each step goes on where it stopped; what
it found stands in docs/results/study/, or where --kept says.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from study_parts import dev, tables, test
from study_parts.candidates import (
    CHOOSING,
    Candidate,
    Scored,
    chosen,
    grid,
    others,
    rivals,
    settings,
)
from study_parts.systems import (
    CLIPS,
    NARROW,
    STEPS,
    STORES,
    System,
    ablations,
    enrolled,
    name_of,
    owned,
    systems,
)

KEPT = Path(__file__).parents[1] / "docs/results/study"
SEEDS = (0, 1)
MEMBERS = 5
PAIRS = (
    ("gen-ser", "twin noisy"),
    ("gen-ser", "twin none"),
    ("gen-ser", "closed-form"),
    ("gen-ser", "gen-ser 0.2"),
    ("gen-ser", "svm"),
    ("default", "gen-ser 0.2"),
    ("default", "svm"),
    ("default", "logreg"),
    ("default", "transformer-ce"),
)
"""Differences that are pooled, each over the stores that have both."""
ASKED_LATER = (
    ("default", "transformer-ce noisy"),
    ("default", "mlp"),
    ("default", "linear"),
    ("default", "closed-form"),
    ("gen-ser", "logreg"),
    ("default", "gen-ser"),
    ("transformer-ce noisy", "transformer-ce"),
    ("inputs sum", "inputs sum, no noise"),
)
"""Those that a second reading of the results asked for."""
WEAK = "sigma = 0.5"
WEAK_TOO = (
    *("flow", "score", "variance constant", "variance exploding"),
    *("mean vp, constant", "mean ve, exploding"),
)
"""Rows whose noise is about as strong as that one's, and so a sixteenth of the default's."""


class Study:
    """What is known so far.

    Args:
        kept: folder of `dev.csv` and `answers.csv`.
        steps: of every training, in place of the plan's: to try the study itself.
    """

    def __init__(self, kept: Path, steps: int | None) -> None:
        self.dev, self.answers, self.steps = kept / "dev.csv", kept / "answers.csv", steps

    def choose(self, stores: Path, only: str, processes: int) -> None:
        """Ask the development parts."""
        places = [stores / f"{name}.zarr" for name in CHOOSING]
        more = (each for some in others().values() for each in some)
        every = {each.name: each for each in (*grid(), *rivals(), *more, *settings())}
        some = [each for name, each in every.items() if only in name]
        dev.run(places, some, SEEDS, self.dev, processes, self.steps)
        if not only:
            dev.run(places, self.ensembles(), SEEDS, self.dev, processes, self.steps)

    def test(self, stores: Path, runs: Path, where: list[str], named: list[str]) -> bool:
        """Train with five seeds, and ask the test folds; ablations come last. Whether all went.

        Raises:
            SystemExit: a name is none of a store or a system.
        """
        parts = self.rows()
        if waiting := [row for row, some in others().items() if self.lacking(some)]:
            print(f"{', '.join(waiting)}: no settings of their own yet; go on with the step `dev`")
        known = [each.name for rows in parts for each in rows]
        for unknown in [*({*where} - {*STORES}), *({*named} - {*known})]:
            raise SystemExit(f"{unknown}: no such store or system; there are {STORES}, {known}")
        done = True
        for rows in parts:
            some = [each for each in rows if not named or each.name in named]
            done &= test.run(stores, runs, some, self.answers, where, self.steps)
        return done

    def scored(self, candidates: Iterable[Candidate]) -> list[Scored]:
        """Every candidate and N that all stores and seeds have scored."""
        found = dev.read(self.dev)
        return [
            (each, N, mean)
            for each in candidates
            for N, mean, _ in dev.scores(found, each, CHOOSING, SEEDS)
        ]

    def ensembles(self) -> list[Candidate]:
        """The best of each network, of several members."""
        families: dict[tuple[str, str | None], list[Scored]] = {}
        for each in self.scored(grid()):
            if each[0].training is not None:
                families.setdefault((each[0].model, each[0].state), []).append(each)
        return [replace(chosen(some)[0], members=MEMBERS) for some in families.values()]

    def default(self) -> Scored:
        """What the rule picks of all."""
        return chosen(self.scored([*grid(), *self.ensembles()]))

    def own(self) -> Scored:
        """What it picks of gen-ser alone."""
        candidates = [*grid(), *self.ensembles()]
        return chosen(self.scored(each for each in candidates if each.model == "gen-ser"))

    def rows(self) -> tuple[list[System], list[System], list[System]]:
        """The rows of the table, the ablations, and what is enrolled."""
        self.check_whole()
        own, N, _ = self.own()
        best: dict[str, Candidate] = {}
        for what in ("transformer-ce", "mlp", "flow", "score"):
            best[what] = self.best(each for each in rivals() if what in each.name)[0]
        rows = systems(self.default()[0], own, N or 1, best)
        known = {row: some for row, some in others().items() if not self.lacking(some)}
        rows += owned({row: self.best(some)[:2] for row, some in known.items()})
        return rows, ablations(own, N or 1), enrolled(own, N or 1)

    def best(self, some: Iterable[Candidate]) -> Scored:
        """Of the settings of a rival, those with the highest score; the first of equals."""
        return max(self.scored(some), key=lambda each: each[2])

    def check_whole(self) -> None:
        """Choose among all that were planned, or not at all.

        Raises:
            SystemExit: a candidate lacks a store or a seed.
        """
        if lacking := self.lacking([*grid(), *rivals(), *self.ensembles()]):
            raise SystemExit(f"not scored yet: {', '.join(lacking)}; go on with the step `dev`")

    def lacking(self, some: Iterable[Candidate]) -> list[str]:
        """Candidates that some store or seed has not scored."""
        some = list(some)
        there = {each.name for each, _, _ in self.scored(some)}
        return [each.name for each in some if each.name not in there]

    def told(self) -> str:
        """Markdown: every score, and what the rule picks."""
        self.check_whole()
        found, lines = dev.read(self.dev), []
        more = [each for some in others().values() for each in some if each not in rivals()]
        for title, some in (
            ("Candidates", [*grid(), *self.ensembles()]),
            ("Rivals", rivals()),
            ("Rivals, by settings of their own", more),
            ("Settings that no default has", settings()),
        ):
            head = " | ".join(CHOOSING)
            lines += [f"## {title}", "", f"| setting | N | mean | {head} |"]
            lines.append("|---" * (3 + len(CHOOSING)) + "|")
            rows = [
                (mean, each, N, per)
                for each in some
                for N, mean, per in dev.scores(found, each, CHOOSING, SEEDS)
            ]
            for mean, each, N, per in sorted(rows, key=lambda row: -row[0]):
                cells = " | ".join(f"{100 * share:.1f}" for share in per)
                lines.append(f"| {each.name} | {N or ''} | {100 * mean:.2f} | {cells} |")
            lines.append("")
        for what, (each, N, score) in (("default", self.default()), ("gen-ser", self.own())):
            lines.append(f"{what}: {each.name}, N = {N}, {100 * score:.2f} %")
        return "\n".join(lines)

    def tables(self) -> str:
        """Markdown: every store, the ablations, N, what is pooled, calibration, enrolment."""
        rows, more, apart = self.rows()
        answers = tables.read(self.answers)
        against = name_of(self.default()[0], rows)
        Ns = [f"gen-ser, N = {N}" for N in STEPS]
        changed = [each for each in rows if each.beside == NARROW] + more
        rows = [each for each in rows if each.beside != NARROW]
        parts = [tables.of_store(answers, store, rows, against) for store in STORES]
        parts += ["## Ablations"]
        parts += [tables.of_store(answers, store, changed, NARROW) for store in STORES]
        parts += ["## As little noise: what differs from Gen-SER at sigma = 0.5"]
        parts += [tables.among(answers, store, (WEAK, *WEAK_TOO)) for store in CLIPS]
        parts += ["## N"]
        parts += [tables.among(answers, store, Ns) for store in CLIPS]
        free = tables.read(self.answers, free=True)
        parts += ["## Pooled", tables.pooled(answers, free, STORES, PAIRS)]
        parts += ["## Pooled too", tables.pooled(answers, free, STORES, ASKED_LATER)]
        own = [(NARROW, f"{row}, own") for row in others()]
        parts += ["## Pooled, rivals at settings of their own"]
        parts += [tables.pooled(answers, free, STORES, own)]
        parts += ["## The path, store by store", tables.by_store(answers, STORES, PAIRS[0])]
        parts += ["## Calibration", tables.calibration(self.answers.with_name("calibration.csv"))]
        parts += ["## Enrolled by ten clips: another question"]
        parts += [tables.of_store(answers, store, apart, apart[0].name) for store in CLIPS]
        return "\n\n".join(part for part in parts if part)


def main(asked: argparse.Namespace) -> None:
    """Do a step."""
    study = Study(asked.kept, asked.steps)
    if asked.step == "dev":
        study.choose(asked.stores, asked.only, asked.processes)
    elif asked.step == "choose":
        print(study.told())
    elif asked.step == "test":
        some = [name for name in asked.systems.split(",") if name]
        raise SystemExit(not study.test(asked.stores, asked.runs, asked.only.split(","), some))
    else:
        print(study.tables())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, default=KEPT)
    parser.add_argument("--steps", type=int, help="of every training, to try the study itself")
    steps = parser.add_subparsers(dest="step", required=True)
    one = steps.add_parser("dev")
    one.add_argument("stores", type=Path)
    one.add_argument("--only", default="", help="candidates with this in their names")
    one.add_argument("--processes", type=int, default=2)
    steps.add_parser("choose")
    one = steps.add_parser("test")
    one.add_argument("stores", type=Path)
    one.add_argument("runs", type=Path)
    one.add_argument("--only", default=",".join(STORES), help="stores, in this order")
    one.add_argument("--systems", default="", help="names; default: all")
    steps.add_parser("tables")
    asked = parser.parse_args()
    if asked.steps is not None and asked.kept == KEPT:
        parser.error("--steps tries the study itself; give --kept, another folder")
    main(asked)
