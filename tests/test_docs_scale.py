"""docs/scale.md: its options exist, its arithmetic is right, its scripts do what it says.

SLURM itself is not there: a stand-in for `srun` starts the tasks on this machine, and the rest
of the script is taken from the page as it is.
"""

import ast
import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from distributed.cli import dask_scheduler, dask_worker

from gensr.cli.main import app
from gensr.features.encoding.encode import Clips
from gensr.features.hearing.verdict import Verdict
from support.stub import write_corpus
from support.trees import tree

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/scale.md").read_text()
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
for task in $(seq "$SLURM_NTASKS"); do "$@" --no-dashboard & done
wait
"""
UNREACHABLE = ("dns error", "error sending request", "tcp connect error", "timed out")
STRICT = """
import json, sys
from pathlib import Path
import dask_kubernetes, jsonschema, yaml

def strict(schema):  # what the operator does not know, Kubernetes would drop without a word
    if isinstance(schema, dict):
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields")
        if "properties" in schema and not open_ended:
            schema.setdefault("additionalProperties", False)
        for below in schema.values():
            strict(below)
    elif isinstance(schema, list):
        for below in schema:
            strict(below)

(crd,) = Path(dask_kubernetes.__file__).parent.rglob("crds/daskcluster.yaml")
(version,) = yaml.safe_load(crd.read_text())["spec"]["versions"]
schema = version["schema"]["openAPIV3Schema"]
schema["properties"].update(dict.fromkeys(("apiVersion", "kind", "metadata"), {}))
strict(schema["properties"]["spec"])
faults = list(jsonschema.Draft7Validator(schema).iter_errors(json.load(sys.stdin)))
for fault in faults:
    print(fault.json_path, fault.message[:300])
sys.exit(bool(faults))
"""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def options(command):
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def commands(start):
    """What follows a command's name, up to the end of the line, the code or the pipe."""
    return re.findall(rf"{start}\b([^`|&#\n]*)", PAGE)


@pytest.mark.parametrize(
    ("start", "name"),
    [("gensr extract", "extract"), ("gensr store", "store"), ("gensr info", "info")],
)
def test_every_option_of_gensr_exists(start, name):
    command = typer.main.get_command(app).commands[name]
    known = options(command)
    for below in getattr(command, "commands", {}).values():
        known |= options(below)
    used = {flag for said in commands(start) for flag in re.findall(r"--[a-z-]+", said)}
    assert used <= known
    assert used or name == "info"


def test_every_option_of_dask_exists():
    for start, module in (("dask worker", dask_worker), ("dask scheduler", dask_scheduler)):
        used = {flag for said in commands(start) for flag in re.findall(r"--[a-z-]+", said)}
        assert used
        assert used <= options(module.main)


def test_python_blocks_are_python():
    found = blocks("python")
    assert len(found) == 2
    measured = re.findall(r"^python - <<'END'\n(.*?)^END$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(measured) == 2
    for block in (*found, *measured):
        ast.parse(block)


def test_the_client_s_memory_is_measured_as_the_page_says():
    """Its second measurement, with a hundredth of the clips."""
    code = blocks("sh")[1].replace("750_000", "7_500").replace("python -", f"{sys.executable} -")
    said = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.endswith(" GB, 30 shards\n")


def test_the_arithmetic():
    clips, seconds = 750_000, 1023 * 3600
    flop = 37e9 * seconds
    table = (ROOT / "docs/results/extraction.md").read_text().partition("## CPU, HuBERT large")[2]
    two_cores = float(re.search(r"^\| gensr \| ([\d.]+) \|", table, re.MULTILINE).group(1))
    for said in (
        f"= {seconds / clips:.2f} s",
        f"= {seconds * 16_000 * 2 / 1e9:.1f} GB",
        f"= {25 * 1024 * 4 // 1024} KiB a clip: {clips * 25 * 1024 * 4 / 1e9:.1f} GB; "
        f"{clips * 25 * 1024 * 2 / 1e9:.1f} GB",
        f"{-(-clips // 256):,} of 256 clips ({256 * 100 // 1024} MiB), or "
        f"{-(-clips // 2048)} of 2048",
        f"{-(-clips // 32):,} of the survey",
        f"{flop:.2e}".replace("e+", "e") + " FLOP",
        f"| {flop / 790e12 / 60:.1f} min |",
        f"| 5,000 | {seconds / 5000 / 60:.1f} min |",
        f"| {round(seconds / (flop / (312e12 * 0.3)), -1):,.0f} | "
        f"{flop / (312e12 * 0.3) / 60:.0f} min |",
        f"| {seconds / (flop / (19.5e12 * 0.6)):.0f} | {flop / (19.5e12 * 0.6) / 3600:.1f} h |",
        f"| {two_cores:.1f} | {1023 / two_cores:.0f} h |",
        f"{1023 / two_cores:.0f} h on two cores, {2 * 1023 / two_cores:.0f} core hours: "
        f"{-(-1023 // (two_cores * 24)):.0f} such machines",
        f"{1023 / 24:.0f} times real time",
        f"{2 * seconds * 32_000 / (seconds / 5000) / 1e6:.0f} MB/s and "
        f"{2 * clips / (seconds / 5000):,.0f} opened files a second",
        f"2.6 ms of a core, so {clips * 2.6e-3 / 60:.0f} min of one core for this set, and "
        f"{clips * 2.6e-3 / 60 / 16:.0f} min of 16",
        f"about 4,000 clips a second however many cores there are: {clips / 4000 / 60:.0f} min",
    ):
        assert said in PAGE, said


def test_the_bytes_that_are_sent():
    """Pickled as dask sends them: the clips of one shard of 256, and verdicts by their hash."""

    def digest(kind, number):
        return hashlib.sha256(f"{kind}{number}".encode()).hexdigest()

    rows = range(256)
    clips = Clips(
        root=Path("/data/speech"),
        paths=tuple(f"speaker{row % 97:04}/session{row % 7}/utterance{row:06}.wav" for row in rows),
        samples=tuple(70_000 + row for row in rows),
        file_sha256=tuple(digest("file", row) for row in rows),
        audio_sha256=tuple(digest("audio", row) for row in rows),
    )
    verdicts = {
        digest("file", row): Verdict(samples=70_000 + row, audio_sha256=digest("audio", row))
        for row in range(10_000)
    }
    tasks, known = len(pickle.dumps(clips)) / 256, len(pickle.dumps(verdicts)) / 10_000
    said = re.search(r"about (\d+) B a clip, (\d+) MB .*?about (\d+) B a file, (\d+) MB", PAGE)
    each, total, each_known, total_known = map(int, said.groups())
    assert each == pytest.approx(tasks, rel=0.05)
    assert each_known == pytest.approx(known, rel=0.05)
    assert total == pytest.approx(each * 0.75, rel=0.02)
    assert total_known == pytest.approx(each_known * 0.75, rel=0.02)


def environment(folder, package, *more):
    """Make an environment with a package of the release that the page names; return its Python."""
    release = re.search(rf"pip install ({package}==\S+?)`", PAGE).group(1)
    python = folder / "bin/python"
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
    assert uv is not None, "make setup puts uv into .venv/bin"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    install = [uv, "pip", "install", "-q", "--python", python, release, *more]
    made = subprocess.run(install, capture_output=True, text=True, check=False, timeout=200)
    if made.returncode and any(words in made.stderr for words in UNREACHABLE):
        pytest.skip(f"the package index cannot be reached, so there is no {release}")
    assert made.returncode == 0, made.stderr[-2_000:]
    return python


@pytest.mark.slow
def test_the_script_for_kubernetes(tmp_path):
    """The page's script, by the released package, against the schema that the operator brings."""
    python = environment(tmp_path / "env", "dask-kubernetes", "jsonschema")
    (tmp_path / "kube_cluster.py").write_text(blocks("python")[1])
    (tmp_path / "strict.py").write_text(STRICT)
    cluster = subprocess.run(
        [python, "kube_cluster.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    def refused(text):
        command = [python, "strict.py"]
        found = subprocess.run(
            command, cwd=tmp_path, input=text, capture_output=True, text=True, check=False
        )
        assert found.returncode in (0, 1), found.stderr
        return found.stdout

    assert refused(cluster) == ""
    assert "volumeMuonts" in refused(cluster.replace("volumeMounts", "volumeMuonts"))
    told = json.loads(cluster)["spec"]
    (scheduler,), (worker,) = (told[part]["spec"]["containers"] for part in ("scheduler", "worker"))
    for container, module in ((scheduler, dask_scheduler), (worker, dask_worker)):
        flags = {word for word in container["args"] if word.startswith("--")}
        assert flags <= options(module.main)
    assert [scheduler["args"][:2], worker["args"][:2]] == [
        ["dask", "scheduler"],
        ["dask", "worker"],
    ]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert not scheduler["resources"]


@pytest.mark.slow
def test_the_job_script_of_dask_jobqueue(tmp_path):
    """The page's script, in an environment of its own, with an sbatch that keeps what it gets."""
    python = environment(tmp_path / "env", "dask-jobqueue")
    (tmp_path / "bin").mkdir()
    sbatch = tmp_path / "bin/sbatch"
    sbatch.write_text(f'#!/bin/bash\ncat "$1" > {tmp_path}/job.tmp\nmv {tmp_path}/job.{{tmp,sh}}\n')
    sbatch.chmod(0o755)
    (tmp_path / "slurm_cluster.py").write_text(blocks("python")[0])
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    with (tmp_path / "printed").open("w") as printed:
        running = subprocess.Popen(
            [python, "slurm_cluster.py", "1"],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            stderr=printed,
        )
        try:
            deadline = time.monotonic() + 100
            while not (tmp_path / "job.sh").exists():
                assert running.poll() is None, (tmp_path / "printed").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            running.kill()
            running.wait()

    def lines(text):
        text = re.sub(r"\S+/bin/python", "VENV/bin/python", text)
        text = re.sub(r"tcp://\S+", "tcp://HOST:PORT", text)
        text = re.sub(r"--name \S+", "--name dummy-name", text)
        return [line.strip() for line in text.splitlines() if line.strip()]

    assert lines((tmp_path / "job.sh").read_text()) == lines(blocks("bash")[1])
    assert set(lines(blocks("bash")[1])) <= set(lines((tmp_path / "printed").read_text()))


@pytest.mark.slow
def test_the_slurm_job_runs(tmp_path):
    """Two tasks by a stand-in for srun; the store is byte for byte that of one process."""
    corpus = write_corpus(tmp_path / "corpus", clips=30)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/srun").write_text(SRUN)
    (tmp_path / "bin/srun").chmod(0o755)
    (tmp_path / "gensr.sh").write_text(blocks("bash")[0])
    path = os.pathsep.join(
        [str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    told = {"PATH": path, "SLURM_JOB_ID": "7", "SLURM_NTASKS": "2"}
    flags = ["--encoder", "fbank", "--shard-clips", "4"]
    with (tmp_path / "job.log").open("w") as log:
        job = subprocess.Popen(
            ["bash", "gensr.sh", corpus, "--out", "job.zarr", *flags],
            cwd=tmp_path,
            env={**os.environ, **told},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            status = job.wait(200)
        finally:  # SLURM would end what the script has left running
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)
    assert status == 0, (tmp_path / "job.log").read_text()
    alone = [sys.executable, "-c", "from gensr.cli.main import run; run()", "extract", corpus]
    subprocess.run([*alone, "--out", "alone.zarr", *flags], cwd=tmp_path, check=True)
    assert tree(tmp_path / "job.zarr") == tree(tmp_path / "alone.zarr")
