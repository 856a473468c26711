"""Stores at URLs by the commands: memory:// here, S3 by a server on loopback (slow)."""

import os
import signal
import subprocess
import time

import pytest

from support import bucket
from support.command import GENSR
from support.trees import tree

pytestmark = pytest.mark.usefixtures("memory")


@pytest.mark.parametrize("suffix", [".zarr", ".h5"])
def test_every_command_takes_a_url(gensr, home, tmp_path, suffix):
    url, other = f"memory://lab/tones{suffix}", f"memory://lab/other{suffix}"
    corpus, local = home / "corpus", home / "tones.zarr"
    said = gensr("extract", corpus, "--encoder", "fbank", "--out", url).ok()
    assert said.out.startswith(f"{url}: 36 clips,")
    assert f"{url}: sound; 36 clips" in gensr("store", "verify", url, "--audio", corpus).ok().out
    assert gensr("store", "convert", url, tmp_path / "back.zarr").ok()
    assert gensr("store", "convert", local, other).ok().out == f"{other}: 36 clips\n"
    facts = [gensr("info", place).ok().out.splitlines() for place in (url, other, local)]
    assert [lines[0] for lines in facts] == [f"store {place}" for place in (url, other, local)]
    assert facts[0][1:] == facts[1][1:] == facts[2][1:]
    said = gensr("store", "merge", url, local, "--out", f"memory://lab/all{suffix}").ok()
    assert "36 clips of 2 stores" in said.out


def test_training_remembers_the_url(gensr, home, tmp_path):
    gensr("store", "convert", home / "tones.zarr", "memory://lab/tones.zarr").ok()
    run = tmp_path / "run"
    gensr("train", "memory://lab/tones.zarr", "--model", "linear", "--steps", 8, "--run", run).ok()
    for name in ("config.json", "manifest.json"):
        assert '"memory://lab/tones.zarr"' in (run / name).read_text()
    expected = (home / "runs/linear/predictions.csv").read_text()
    assert (run / "predictions.csv").read_text() == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("foo://bucket/s.zarr", "fsspec knows no foo://"),
        ("dropbox://a/s.zarr", "a package is missing for dropbox://"),
        ("s3://somebody:secret@host/s.zarr", "a URL with a password or a query in it is refused"),
        ("s3://somebody:a/secret@host/s.zarr", "a URL with a password or a query in it is refused"),
        ("s3://somebody:1/secret@host/s.zarr", "a URL with a password or a query in it is refused"),
        ("memory://", "names no store"),
    ],
)
@pytest.mark.parametrize("command", ["info", "extract"])
def test_urls_that_cannot_be_used_are_one_line(gensr, home, command, url, said):
    args = [url] if command == "info" else [home / "corpus", "--encoder", "fbank", "--out", url]
    complaint = gensr(command, *args).usage
    assert said in complaint
    assert "secret" not in complaint


def test_what_is_refused_at_a_url_is_one_line(gensr, home):
    url = "memory://lab/tones.zarr"
    gensr("store", "convert", home / "tones.zarr", url).ok()
    call = ("extract", home / "corpus", "--encoder", "fbank", "--out", url)
    assert "neither added to nor replaced" in gensr(*call, "--overwrite").complaint
    assert "was made with other settings" in gensr(*call, "--shard-clips", 7).complaint
    assert "36 clips" in gensr(*call).ok().out
    assert "ends in one of" in gensr(*call[:-1], "memory://lab/tones.npz").complaint
    assert "does not exist" in gensr("info", "memory://lab/none.zarr").complaint


@pytest.fixture(scope="module")
def server():
    with bucket.serving() as server:
        yield server


@pytest.fixture
def called(server, process):
    """called(*args) -> Said: gensr in a process of its own, led to the server."""

    def called(*args, **more):
        return process(*args, env=os.environ | server.environment | more)

    return called


@pytest.fixture
def expected(gensr, home, tmp_path):
    """Local stores of one clip a shard: a folder, and a file."""
    stores = tmp_path / "expected.zarr", tmp_path / "expected.h5"
    for store in stores:
        call = ("extract", home / "corpus", "--encoder", "fbank", "--shard-clips", 1)
        gensr(*call, "--out", store).ok()
    return tree(stores[0]), {"": stores[1].read_bytes()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["killed.zarr", "killed.h5"])
def test_killed_and_resumed_on_s3(server, called, home, expected, name):
    url = f"s3://bucket/{name}"
    call = ("extract", home / "corpus", "--encoder", "fbank", "--shard-clips", 1, "--out", url)
    environment = os.environ | server.environment
    first = subprocess.Popen(
        [str(word) for word in (GENSR, *call)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        while len(server.names(f"{name}.work/done/")) < 3:
            assert first.poll() is None, first.stderr.read()
            time.sleep(0.01)
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    done = len(server.names(f"{name}.work/done/"))
    assert 3 <= done < 36
    assert "is not finished" in called("info", url).complaint
    said = called(*call).ok().out
    assert said.endswith(f"{36 - done} encoded, 0 copied, {done} done before, 0 unusable\n")
    assert server.objects(name) == expected[name.endswith(".h5")]
    assert not server.names(f"{name}.work")


@pytest.mark.slow
def test_two_workers_write_to_s3(server, called, home, expected):
    url = "s3://bucket/deep/down/workers.zarr"
    call = ("extract", home / "corpus", "--encoder", "fbank", "--shard-clips", 1, "--out", url)
    assert "36 encoded" in called(*call, "--workers", 2).ok().out
    assert server.objects("deep/down/workers.zarr") == expected[0]


@pytest.mark.slow
def test_s3_is_read_by_every_command(server, called, home, tmp_path):
    url = "s3://bucket/tones.zarr"
    called("store", "convert", home / "tones.zarr", url).ok()
    called("store", "convert", url, "s3://bucket/tones.h5").ok()
    called("store", "convert", "s3://bucket/tones.h5", tmp_path / "back.zarr").ok()
    assert tree(tmp_path / "back.zarr") == tree(home / "tones.zarr")
    for place in (url, "s3://bucket/tones.h5"):
        assert "sound; 36 clips" in called("store", "verify", place).ok().out
        assert called("info", place).ok().out.startswith(f"store {place}\n")
    run = tmp_path / "run"
    called("train", url, "--model", "linear", "--steps", 8, "--run", run).ok()
    expected = (home / "runs/linear/predictions.csv").read_text()
    assert (run / "predictions.csv").read_text() == expected
    for recorded in (file.read_text() for file in run.glob("*.json")):
        assert server.environment["AWS_SECRET_ACCESS_KEY"] not in recorded
    assert f'"{url}"' in (run / "config.json").read_text()


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_one_line(called, home):
    call = ("extract", home / "corpus", "--encoder", "fbank", "--out")
    assert "bucket does not exist" in called(*call, "s3://nobody/s.zarr").complaint
    assert "does not exist" in called("info", "s3://nobody/s.zarr").complaint


@pytest.mark.slow
def test_a_server_that_is_gone_is_one_line(called, home):
    with bucket.serving() as lost:
        pass
    for call in (
        ("extract", home / "corpus", "--encoder", "fbank", "--out", "s3://bucket/s.zarr"),
        ("store", "verify", "s3://bucket/s.h5"),
    ):
        assert "cannot be reached: Could not connect" in called(*call, **lost.environment).complaint


@pytest.mark.slow
def test_wrong_credentials_are_one_line(called, home):
    with bucket.serving(strict=True) as strict:
        call = ("extract", home / "corpus", "--encoder", "fbank", "--out", "s3://bucket/s.zarr")
        complaint = called(*call, **strict.environment).complaint
    assert "s3://bucket/s.zarr cannot be reached: Forbidden" in complaint
    assert bucket.SECRET not in complaint
