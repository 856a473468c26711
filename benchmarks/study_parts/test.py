"""Train and test the systems, each by the command that a reader would give, a core each."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gensr.pipeline.scoring.systems import systems_of
from study_parts.systems import CLIPS, System

COLUMNS = ("store", "system", "seed", "speaker", "right", "clips")


def run(
    stores: Path,
    runs: Path,
    systems: Sequence[System],
    file: Path,
    only: Sequence[str],
    steps: int | None = None,
) -> bool:
    """Do what `file` does not hold yet, store by store, and add it; whether all could be done."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(",".join(COLUMNS) + "\n")
    with file.open(newline="") as lines:
        done = {(row["store"], row["system"]) for row in csv.DictReader(lines)}
    wanted = [
        (store, each)
        for store in only
        for each in systems
        if store in each.stores and (store, each.name) not in done
    ]
    print(f"{len(wanted)} trainings", flush=True)
    failed = False
    cores: SimpleQueue[int] = SimpleQueue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    with ThreadPoolExecutor(cores.qsize()) as pool:
        todo = [
            pool.submit(_train, stores, runs, store, each, cores, steps) for store, each in wanted
        ]
        for (store, each), one in zip(wanted, todo, strict=True):
            status = one.result()
            if status:
                print(f"FAILED {store}: {each.name}: {status}", flush=True)
                failed = True
                continue
            rows = list(_rows(store, each.name, folder(runs, store, each)))
            with file.open("a", newline="") as lines:
                csv.writer(lines, lineterminator="\n").writerows(rows)
            share = sum(int(row[4]) for row in rows) / sum(int(row[5]) for row in rows)
            print(f"{store}: {each.name}: {100 * share:.1f} %", flush=True)
    return not failed


def folder(runs: Path, store: str, system: System) -> Path:
    """Where a system's runs are."""
    return runs / store / system.name.replace(" ", "_")


def _train(
    stores: Path,
    runs: Path,
    store: str,
    system: System,
    cores: "SimpleQueue[int]",
    steps: int | None,
) -> str:
    """Train; nothing, or what went wrong."""
    core, place = cores.get(), folder(runs, store, system)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        settings = place.with_name(place.name + ".toml")
        settings.write_text(toml({"model": system.options, "training": system.training or {}}))
        command = [sys.executable, "-m", "gensr.cli.main", "train", str(stores / f"{store}.zarr")]
        command += ["--model", system.model, "--seeds", system.seeds, "--run", str(place)]
        command += ["--config", str(settings)]
        command += ["--calibrate"] * (system.calibrate and store in CLIPS)
        command += ["--enrol", "speaker"] * system.enrol
        command += ["--resume"] * place.exists()
        if steps is not None and system.model not in ("closed-form", "svm", "logreg"):
            command += ["--steps", str(steps)]
        done = subprocess.run(
            ["taskset", "--cpu-list", str(core), *command],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-300:]
    finally:
        cores.put(core)


def _rows(store: str, name: str, place: Path) -> Any:
    (system,) = systems_of([place])
    answers = system.answers
    speakers = answers.speakers.tolist()
    for seed, right in zip(system.seeds, answers.right.tolist(), strict=True):
        counts: dict[str, list[int]] = {}
        for speaker, one in zip(speakers, right, strict=True):
            count = counts.setdefault(speaker, [0, 0])
            count[0] += one
            count[1] += 1
        for speaker in sorted(counts):
            yield store, name, seed, speaker, *counts[speaker]


def toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of plain values, those within them in one line."""
    lines = []
    for name, table in tables.items():
        if table:
            lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
