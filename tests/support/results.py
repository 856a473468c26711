"""What a run holds, and whether two hold the same."""

import csv
import json
from pathlib import Path

import torch
from safetensors.torch import load_file


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def plain(run: Path, name: str) -> dict:
    return json.loads((run / name).read_text())


def same_result(one: Path, other: Path) -> None:
    """Every weight, every line of the log and every answer, to the byte."""
    assert files(one) == files(other)
    compared = [*one.rglob("*.safetensors"), one / "predictions.csv", *one.rglob("metrics.jsonl")]
    for path in compared:
        assert path.read_bytes() == (other / path.relative_to(one)).read_bytes(), path


def assert_close(run: Path, other: Path) -> None:
    """Every weight of a run is the other's, but for the last bits of sums."""
    paths = list(run.rglob("*.safetensors"))
    assert paths
    for path in paths:
        mine, theirs = load_file(path), load_file(other / path.relative_to(run))
        for name, weight in mine.items():
            torch.testing.assert_close(weight, theirs[name], atol=1e-5, rtol=0)
