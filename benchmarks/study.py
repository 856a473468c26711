"""Which default, and does the path help? The study of docs/results/study.md, step by step.

    python benchmarks/study.py dev STORES        # candidates, by development parts
    python benchmarks/study.py choose            # what the rule picks of them

STORES is a folder of emodb-clip.zarr, emodb-full.zarr, emodb-fbank.zarr, and the same of ravdess:
whisper-base with `--context clip` and `full`, and fbank. Each step goes on where it stopped; what
it found stands in docs/results/study/.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from study_parts import dev
from study_parts.candidates import CHOOSING, Candidate, Scored, chosen, grid, rivals

KEPT = Path(__file__).parents[1] / "docs/results/study"
SEEDS = (0, 1)
MEMBERS = 5


def main(asked: argparse.Namespace) -> None:
    """Do a step."""
    if asked.step == "dev":
        stores = [asked.stores / f"{name}.zarr" for name in CHOOSING]
        some = [each for each in (*grid(), *rivals()) if asked.only in each.name]
        dev.run(stores, some, SEEDS, KEPT / "dev.csv", asked.processes)
        if not asked.only:
            dev.run(stores, ensembles(), SEEDS, KEPT / "dev.csv", asked.processes)
    else:
        told()


def scored(candidates: Iterable[Candidate]) -> list[Scored]:
    """Every candidate and N whose rows are all there."""
    found = dev.read(KEPT / "dev.csv")
    return [
        (each, N, mean)
        for each in candidates
        for N, mean, _ in dev.scores(found, each, CHOOSING, SEEDS)
    ]


def ensembles() -> list[Candidate]:
    """The best of each network, of several members."""
    families: dict[tuple[str, str | None], list[Scored]] = {}
    for each in scored(grid()):
        if each[0].training is not None:
            families.setdefault((each[0].model, each[0].state), []).append(each)
    return [replace(chosen(some)[0], members=MEMBERS) for some in families.values()]


def told() -> None:
    """Print every score, and what the rule picks."""
    found = dev.read(KEPT / "dev.csv")
    candidates = [*grid(), *ensembles()]
    for title, some in (("Candidates", candidates), ("Rivals", rivals())):
        print(f"\n## {title}\n\n| setting | N | mean | " + " | ".join(CHOOSING) + " |")
        print("|---" * (3 + len(CHOOSING)) + "|")
        rows = [
            (mean, each, N, per)
            for each in some
            for N, mean, per in dev.scores(found, each, CHOOSING, SEEDS)
        ]
        for mean, each, N, per in sorted(rows, key=lambda row: -row[0]):
            cells = " | ".join(f"{100 * share:.1f}" for share in per)
            print(f"| {each.name} | {N or ''} | {100 * mean:.2f} | {cells} |")
    networks = [each for each in scored(candidates) if each[0].model == "gen-ser"]
    for what, some in (("default", scored(candidates)), ("gen-ser's own", networks)):
        candidate, N, score = chosen(some)
        print(f"\n{what}: {candidate.name}, N = {N}, {100 * score:.2f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    one = steps.add_parser("dev")
    one.add_argument("stores", type=Path)
    one.add_argument("--only", default="", help="candidates with this in their names")
    one.add_argument("--processes", type=int, default=2)
    steps.add_parser("choose")
    main(parser.parse_args())
