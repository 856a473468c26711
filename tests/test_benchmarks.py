"""Every benchmark runs, on a small scale; what it measures is in docs/results/."""

import subprocess
import sys
from pathlib import Path

import pytest

from gensr.features.demo_corpus import DemoConfig, write_demo_corpus
from gensr.pipeline.extract import ExtractConfig, extract

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def _run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_sweep(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=6, sentences=1))
    store = tmp_path / "demo.zarr"
    extract(tmp_path / "corpus", store, ExtractConfig(encoder="fbank"))
    answer = _run("sweep.py", str(store), "--steps", "2", "--budgets", "2,3")
    assert "| transformer-ce |" in answer
    assert "| euler | 20 |" in answer


@pytest.mark.slow
def test_intervals() -> None:
    assert "| 91 |" in _run("intervals.py", "--trials", "5")


def test_every_benchmark_has_its_test() -> None:
    tested = Path(__file__).read_text()
    assert all(f'"{script.name}"' in tested for script in BENCHMARKS.glob("*.py"))
