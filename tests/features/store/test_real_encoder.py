"""A speech encoder of Hugging Face, killed as a user's would be: the command, by SIGKILL."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GENSR = Path(sys.executable).with_name("gensr")
CLIPS = 120


@pytest.fixture(scope="module")
def hubert(load_helper, tmp_path_factory):
    """A small HuBERT with random weights, saved as transformers saves it."""
    folder = tmp_path_factory.mktemp("encoder") / "hubert"
    checkpoints = load_helper(Path(__file__).parents[1] / "encoders/conftest.py")
    checkpoints.save_checkpoint("hubert-large", folder)
    return folder


@pytest.mark.slow
def test_killed_and_resumed(hubert, stub, out, tmp_path, tree):
    corpus = tmp_path / "corpus"
    for number in range(CLIPS):
        stub.write_clip(corpus / "sad" / f"{number:03}.wav", number, seconds=3 + number % 5)
    call = [GENSR, "extract", corpus, "--encoder", hubert, "--device", "cpu", "--shard-clips", "2"]

    def extract(to):
        return subprocess.run(
            [*call, "--out", to], capture_output=True, text=True, check=True
        ).stdout

    assert f"{CLIPS} encoded" in extract(out.with_stem("expected"))
    first = subprocess.Popen(
        [*call, "--out", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    done = out.with_name(out.name + ".work") / "done"
    try:
        while not (done.is_dir() and list(done.glob("*[0-9]"))):
            assert first.poll() is None, first.stderr.read()
            time.sleep(0.001)
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    finished = len(list(done.glob("*[0-9]")))
    assert 1 <= finished < CLIPS // 2
    said = extract(out)
    assert f"{CLIPS - 2 * finished} encoded, 0 copied, {2 * finished} done before" in said
    assert tree(out) == tree(out.with_stem("expected"))
    assert not done.parent.exists()
