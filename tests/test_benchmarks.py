"""Every benchmark runs, on a small scale; what it measures is in docs/results/."""

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gensr.estimator.config import from_plain
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.models.spec import preset
from gensr.features.corpora import scan
from gensr.features.corpora.clip import Clip
from gensr.features.demo.corpus import DemoConfig, write_demo_corpus
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from gensr.pipeline.protocols.splitters import make_protocol
from gensr.pipeline.training.config import TrainConfig
from gensr.pipeline.training.seeds import train_seeds
from support.clip_tables import COLUMNS, table

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
@pytest.mark.timeout(900)
def test_study(tmp_path: Path) -> None:
    """Every step of it, on a few systems of a small corpus, and once more where it stopped."""
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=6, sentences=1))
    extract(tmp_path / "corpus", tmp_path / "demo.zarr", ExtractConfig(encoder="fbank"))
    for name in ("emodb-clip", "ravdess-clip", "ravdess-fbank"):
        (tmp_path / f"{name}.zarr").symlink_to(tmp_path / "demo.zarr")
    asked = ["--kept", str(tmp_path / "kept"), "--steps", "2"]
    _run("study.py", *asked, "dev", str(tmp_path))
    rows = (tmp_path / "kept/dev.csv").read_text()
    assert _run("study.py", *asked, "dev", str(tmp_path)).count("0 jobs") == 2
    assert (tmp_path / "kept/dev.csv").read_text() == rows
    picked = _run("study.py", *asked, "choose")
    assert "| gen-ser tokens 8/4 | 4 |" in picked
    assert "\ndefault: " in picked
    assert " x5 |" in picked
    few = ["--only", "emodb-clip,ravdess-clip"]
    some = [
        "--systems",
        "gen-ser,gen-ser 0.2,gen-ser narrow,twin noisy,twin none,closed-form,svm,transformer-ce,"
        "k = 4",
    ]
    said = _run("study.py", *asked, "test", str(tmp_path), str(tmp_path / "runs"), *few, *some)
    assert "FAILED" not in said
    told = _run("study.py", *asked, "tables")
    assert "### emodb-clip: n = 14" in told
    assert "| gen-ser less twin noisy | emodb-clip, ravdess-clip |" in told
    assert "| k = 4 |" in told
    assert "| gen-ser, N = 50 |" in told
    assert "| emodb-clip | closed-form |" in told


def test_presets_are_what_the_study_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the committed scores of development parts and the rule, whoever runs it again."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    study = importlib.import_module("study").Study(importlib.import_module("study").KEPT, None)
    found = {each.name: each for each in study.rows()[0]}
    for row, model in (
        ("gen-ser", "gen-ser"),
        ("default", "transformer-mse"),
        ("transformer-ce, own", "transformer-ce"),
        ("mlp", "mlp"),
    ):
        options, budget = preset(model, "small")
        system = found[row]
        assert system.model == model
        assert from_plain(MODELS[model].Config, system.options, row) == options
        assert budget == replace(TrainingConfig(), **system.training)


def test_the_page_of_the_study_has_the_tables_of_its_answers() -> None:
    """Every row of every table, as the committed counts give it."""
    page = (BENCHMARKS.parent / "docs/results/study.md").read_text()
    told = _run("study.py", "tables")
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    assert [row for row in rows if row not in page] == []


@pytest.mark.parametrize("name", ["emodb", "ravdess"])
def test_the_study_knows_who_is_in_no_development_part(name, corpora, monkeypatch) -> None:
    """As the protocols of its stores have it: what is said of those speakers rests on the list."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    free = importlib.import_module("study_parts.tables").FREE[name]
    clips = table([vars_of(clip) for clip in scan(corpora / name).clips])
    protocol = make_protocol(clips, seed=0)
    asked = {str(who) for fold in protocol.folds for who in clips["speaker"][fold.dev]}
    assert free == tuple(sorted({*clips["speaker"].tolist()} - asked))


def vars_of(clip: Clip) -> dict[str, str]:
    return {name: getattr(clip, name) for name in COLUMNS if hasattr(clip, name)}


@pytest.mark.slow
def test_paper_size() -> None:
    systems = "gen-ser,flow,transformer-mse"
    few = ("--steps", "2", "--clips", "140", "--k", "10")
    answer = _run("paper_size.py", *few, "--systems", systems)
    assert "| gen-ser | float32 | 10 |" in answer
    assert "| flow | float32 |  |" in answer
    assert "| transformer-mse | float32 |  |" in answer
    assert "| 10 | 0.428 |" in answer


@pytest.mark.slow
def test_intervals() -> None:
    assert "| 91 |" in _run("intervals.py", "--trials", "5")


@pytest.mark.slow
def test_paired() -> None:
    answer = _run("paired.py", "--trials", "20")
    rows = [line.split("|")[1:-1] for line in answer.splitlines() if line.startswith("| 0.")]
    assert len(rows) == 120
    assert all(0 <= float(row[3].split()[0]) <= 1 for row in rows)


@pytest.mark.slow
def test_gaps() -> None:
    assert "| of the same |" in _run("gaps.py", "--trials", "5")


@pytest.mark.slow
def test_doubt(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=6, sentences=1))
    extract(tmp_path / "corpus", tmp_path / "demo.zarr", ExtractConfig(encoder="fbank"))
    config = TrainConfig(model="closed-form", calibrate=True)
    train_seeds(tmp_path / "demo.zarr", config, (0, 1), folder=tmp_path / "set")
    rows = _run("doubt.py", str(tmp_path / "set")).splitlines()[2:]
    cells = [[cell.strip() for cell in row.split("|")[2:5]] for row in rows]
    assert [way for way, _, _ in cells] == ["as answered", "temperature", "temperature and doubt"]
    assert all(0 <= float(ece) <= 1 and float(loss) > 0 for _, ece, loss in cells)
    assert len({loss for _, _, loss in cells}) > 1  # a fit is no copy of what was answered


@pytest.mark.slow
def test_calibration() -> None:
    assert "| 91 |" in _run("calibration.py", "--trials", "2", "--speakers", "100")


@pytest.mark.slow
def test_extraction(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    smoke = ["--size", "tiny", "--minutes", "0.3", "--repeats", "1", "--work", str(tmp_path)]
    answer = _run(
        "extraction.py",
        *smoke,
        "--systems",
        "bare,gensr,hf-loop,layers",
        "--out",
        str(figures),
    )
    raw = json.loads(figures.read_text())
    rows = {one["row"]: one for one in raw["measured"]}
    assert raw["failed"] == {}
    assert rows["gensr"]["layers"] == rows["hf-loop"]["layers"] == 3
    assert rows["gensr"]["audio"] == pytest.approx(rows["hf-loop"]["audio"])
    assert rows["gensr"]["audio"] == pytest.approx(18.0, abs=1.0)
    assert rows["bare"]["audio"] >= rows["gensr"]["audio"]
    for row, one in rows.items():
        assert f"| {row} | {one['audio'] / one['work']:.4g} (" in answer


@pytest.mark.slow
def test_extraction_of_other_files_and_the_survey(tmp_path: Path) -> None:
    smoke = ["--size", "tiny", "--minutes", "0.2", "--repeats", "1", "--work", str(tmp_path)]
    files = ["--rate", "48000", "--format", "flac"]
    answer = _run("extraction.py", *smoke, *files, "--systems", "gensr,hf-loop,survey")
    assert "synthesised, 48000 Hz FLAC" in answer
    assert {path.suffix for path in tmp_path.glob("clips-*/*/*")} == {".flac"}
    assert " files a second" in answer
    (share,) = [line for line in answer.splitlines() if line.startswith("The survey takes")]
    assert 0 < float(share.split()[3]) < 200


@pytest.mark.slow
def test_launches() -> None:
    answer = _run("launches.py", "--size", "tiny", "--hours", "0.5", "--repeats", "2")
    small, large = _cells(answer, "256, 100"), _cells(answer, "2048, 800")
    assert float(small[0]) > float(large[0]) > 0
    assert float(small[1]) < float(large[1])
    few = _cells(answer, "256, 100, few shapes, replayed")
    assert float(few[2]) < float(small[2])
    assert float(few[3]) > float(small[3])
    assert few[5] == "0.0"
    told = answer.splitlines()[0].split()
    assert 40 < int(told[2]) < int(told[6]) < 200


@pytest.mark.slow
def test_startup() -> None:
    answer = _run("startup.py", "--size", "tiny", "--repeats", "1")
    assert _cells(answer, "bare script")[1] == "1.00"
    assert 0.2 < float(_cells(answer, "gensr extract, fbank")[1]) < 5
    assert 0.5 < float(_cells(answer, "gensr extract")[1]) < 5


@pytest.mark.slow
def test_fbank() -> None:
    answer = _run("fbank.py", "--minutes", "0.3", "--repeats", "1")
    for row in ("1, time", "1, processor time"):
        loop, ours, ratio = _cells(answer, row)
        assert 0 < float(loop) < 60
        assert 0 < float(ours) < 60
        assert float(ratio.split()[0]) > 0


@pytest.mark.slow
def test_extraction_names_what_did_not_run(tmp_path: Path) -> None:
    script = str(BENCHMARKS / "extraction.py")
    smoke = ["--size", "tiny", "--minutes", "0.1", "--repeats", "1", "--work", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, script, *smoke, "--systems", "gensr", "--gensr-flags=--no-such-flag"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "| gensr | did not run: exit status 2:" in done.stdout
    assert "--no-such-flag" in done.stdout


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus() -> None:
    answer = _run("memory.py", "--clips", "1500,6000")
    few, many = (line.split(" | ") for line in answer.splitlines()[2:4])
    assert float(many[1]) - float(few[1]) > 0.4  # GiB of vectors
    assert float(many[2]) - float(few[2]) < 64  # MiB of memory
    assert float(many[3].strip("| ")) - float(few[3].strip("| ")) < 16  # of a decoder


def _cells(answer: str, row: str) -> list[str]:
    """The cells of a table's row, without its name."""
    line = next(line for line in answer.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@pytest.mark.slow
def test_resample() -> None:
    answer = _run("resample.py", "--rates", "8000,44100", "--seconds", "1", "--repeats", "3")
    for rate in ("8000", "44100"):
        ours, theirs, differ = map(float, _cells(answer, rate))
        assert min(ours, theirs) > 0
        assert differ <= 2


@pytest.mark.slow
def test_batch_size() -> None:
    smoke = ["--size", "tiny", "--seconds", "0.5,1", "--uneven", "1", "--batches", "1,2"]
    answer = _run("batch_size.py", *smoke, "--repeats", "2", "--audio", "4")
    for row in ("loop", "bare", "one by one", "stream of 2 s"):
        assert len(_cells(answer, row)) == 3
        assert all(0.05 < float(cell) < 20 for cell in _cells(answer, row))
    assert _cells(answer, "loop") == ["1.00"] * 3
    assert _cells(answer, "clips of") == ["0.5 s", "1 s", "0.9 to 1 s"]


@pytest.mark.slow
def test_batch_mates() -> None:
    models = "hubert tiny,data2vec-audio tiny"
    answer = _run("batch_mates.py", "--models", models, "--dtypes", "float32,bfloat16")
    rows = [line.split("|")[1:-1] for line in answer.splitlines()[2:]]
    assert [f"{name.strip()} {dtype.strip()}" for name, dtype, *_ in rows] == [
        f"{model} {dtype}" for model in models.split(",") for dtype in ("float32", "bfloat16")
    ]
    for _, _, *cells in rows:
        median, longer, largest, bound = map(float, cells)
        assert 0 <= median <= longer <= largest < bound
        assert largest > 0


def _pair(cell: str) -> tuple[float, float]:
    median, largest = cell.split(" / ")
    return float(median), float(largest)


@pytest.mark.slow
def test_precision(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    write_demo_corpus(corpus, DemoConfig(speakers=6, sentences=1))
    smoke = ["--random", "tiny", "--corpus", str(corpus), "--train", "--steps", "2"]
    answer = _run("precision.py", *smoke, "--seeds", "0,1")
    bfloat16, float16, stored, clips = (_pair(cell) for cell in _cells(answer, "all 3"))
    assert 0 < stored[0] < stored[1] < 2**-11  # rounding to 11 bits
    assert stored[0] < float16[0] < bfloat16[0] < bfloat16[1] < clips[0]
    assert _cells(answer, "gen-ser")[-1] == ""
    assert "| linear | float32 | 1 |" in answer
    assert "(than seed 0)" in answer
    assert "| linear | stored as float16 | 1 |" in answer


@pytest.mark.slow
def test_precision_takes_some_clips_of_a_corpus(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=6, sentences=1))
    smoke = ["--random", "tiny", "--corpus", str(tmp_path / "corpus"), "--clips", "3"]
    answer = _run("precision.py", *smoke, "--savings", "bfloat16")
    assert "tiny-random, 3 clips;" in answer
    assert len(_cells(answer, "all 3")) == 2


@pytest.mark.slow
def test_windows_as_long_as_the_clip_change_nothing(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=6, sentences=3))
    smoke = ["vectors", "--random", "tiny", "--seconds", "5", "--windows", "5,2", "--clips", "3"]
    for source in ([], ["--corpus", str(tmp_path / "corpus")]):
        answer = _run("windows.py", *smoke, *source)
        same, cut, _ = (_pair(cell) for cell in _cells(answer, "all 3"))
        _, own, _ = (_pair(cell) for cell in _cells(answer.partition("without")[2], "all 3"))
        assert "tiny-random, 3 clips of" in answer
        assert same == (0.0, 0.0)
        assert cut[1] > cut[0] > own[0] > 1e-4
        assert _cells(answer, "5 s") == ["1.00000", "1.00000"]
        assert float(_cells(answer, "2 s")[0]) < 1


@pytest.mark.slow
def test_windows_and_accuracy(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=6, sentences=1))
    smoke = ["accuracy", "--random", "tiny", "--corpus", str(tmp_path / "corpus"), "--steps", "2"]
    answer = _run("windows.py", *smoke, "--windows", "30,1")
    assert "30 s: 0 of " in answer
    assert "\n1 s: 0 of " not in answer
    uncut = [line.split("|")[4:6] for line in answer.splitlines() if "| uncut |" in line]
    same = [line.split("|")[4:6] for line in answer.splitlines() if "| 30 s | 0 |" in line]
    assert len(uncut) == 2
    assert uncut == same
    assert answer.count("| 1 s | 0 |") == 2


@pytest.mark.slow
def test_windows_and_memory() -> None:
    smoke = ["memory", "--random", "tiny", "--lengths", "40"]
    windows, whole = _cells(_run("windows.py", *smoke), "40 s")
    assert 100 < float(windows) < 5_000
    assert 100 < float(whole) < 5_000
    limited = _run("windows.py", *smoke, "--limit-gib", "0.3")
    assert _cells(limited, "40 s") == ["above the limit of 0.3 GiB"] * 2


@pytest.mark.slow
def test_store() -> None:
    smoke = ["--clips", "600", "--layers", "3", "--width", "512", "--shard-clips", "64"]
    answer = _run("store.py", *smoke, "--repeats", "1")
    ways = ("verify, zarr", "verify, h5", "convert, zarr to h5", "convert, h5 to h5")
    for row in (*ways, "convert, zarr to zarr", "convert, h5 to zarr"):
        assert all(float(cell) > 0 for cell in _cells(answer, row)[1:])
    for row in ("zarr", "h5"):
        assert 1 <= float(_cells(answer, row)[0]) < 3  # of 3.5 MiB


@pytest.mark.slow
def test_scan() -> None:
    answer = _run("scan.py", "--files", "2000", "--repeats", "1")
    for row in ("folders", "names"):
        assert all(float(cell) > 0 for cell in _cells(answer, row)[1:])


_SMALL = (
    *("--rounds", "2", "--networks", "tiny", "--clips", "64", "--turn-seconds", "0.05"),
    *("--resident", "80,160:3x16", "--streamed", "80,160:3x16", "--memory-steps", "2"),
    *("--memory-folds", "all"),
    *("--row-clips", "100,1000", "--row-steps", "20"),
    *("--run-network", "tiny", "--run-clips", "64", "--run-steps", "8"),
    *("--inference-network", "tiny", "--inference-clips", "64", "--inference-classes", "3,7"),
    *("--encoders", "tiny", "--together-clips", "40", "--folds", "3", "--seeds", "2"),
    *("--together-steps", "4", "--together-rounds", "1"),
    *("--order-clips", "1024", "--order-steps", "8", "--order-seeds", "2"),
    *("--parallel-network", "tiny", "--parallel-steps", "2", "--parallel-rounds", "1"),
)
"""Sizes of training.py by which every part takes seconds."""


@pytest.mark.slow
def test_training_steps(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    parts = ["--parts", "rows,step,run,inference,parallel", "--out", str(figures)]
    answer = _run("training.py", *_SMALL, *parts)
    raw = json.loads(figures.read_text())
    assert raw["failed"] == {}
    assert list(raw["parts"]) == parts[1].split(",")
    step = raw["parts"]["step"][0]["raw"][0]["seconds"]
    assert all(len(each) == 2 and min(each) > 0 for each in step.values())
    assert {"gensr", "plain", "products", "triad", "memory"} <= set(step)
    assert _cells(answer, "tiny")[0] == "float32"
    assert _cells(answer, "1,000")[-1] == "<= 1.02"
    assert _cells(answer, "float32")[1] == "6"  # steps of the run, behind the first look
    assert _cells(answer, "2")[-1] == "none"


@pytest.mark.slow
def test_training_memory() -> None:
    answer = _run("training.py", *_SMALL, "--parts", "memory")
    for row in ("train, all folds", "eval"):
        clips, vectors, peak, *_ = _cells(answer, row)
        assert (clips, vectors) == ("80", "0")
        assert 100 < int(peak.replace(",", "")) < 5_000
    assert answer.count("| train, all folds | 160 |") == 2  # held, and streamed
    assert answer.count("B/clip | flat |") == 1


@pytest.mark.slow
def test_training_weights_and_order() -> None:
    answer = _run("training.py", *_SMALL, "--parts", "together,order")
    together = _cells(answer, "tiny, 3 x 16")
    assert together[:2] == ["6", "4"]
    assert 0 < float(together[-2]) <= 1e-5
    assert len(_cells(answer, "all clips")) == 6
    assert len(_cells(answer, "64 clips: 8 blocks of 8")) == 6


@pytest.mark.slow
def test_training_names_what_could_not_be_measured() -> None:
    script = str(BENCHMARKS / "training.py")
    given = [*_SMALL, "--inference-classes", "9000", "--parts", "inference,order"]
    done = subprocess.run([sys.executable, script, *given], capture_output=True, text=True)
    assert done.returncode == 1
    assert "## inference: could not be measured" in done.stdout
    assert "9000 classes do not fit" in done.stdout
    assert "| all clips |" in done.stdout
    done = subprocess.run([sys.executable, script, "--parts", "x"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such part: x" in done.stderr


def test_every_benchmark_has_its_test() -> None:
    tested = Path(__file__).read_text()
    assert all(f'"{script.name}"' in tested for script in BENCHMARKS.glob("*.py"))


@pytest.mark.slow
def test_near(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=4, sentences=2))
    answer = _run("near.py", str(tmp_path / "corpus"), "--clips", "3")
    assert "| -6 dB | 3 | 0 | 0.000 | 0.000 |" in answer
    assert "Different recordings: " in answer


@pytest.mark.slow
def test_near_vectors(tmp_path: Path) -> None:
    write_demo_corpus(tmp_path / "corpus", DemoConfig(speakers=4, sentences=1))
    store = tmp_path / "demo.zarr"
    extract(tmp_path / "corpus", store, ExtractConfig(encoder="fbank"))
    answer = _run("near_vectors.py", str(tmp_path / "corpus"), str(store), "--encoder", "fbank")
    assert "| -6 dB | " in answer
