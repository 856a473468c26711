"""A speech encoder of Hugging Face, killed as a user's would be: the command, by SIGKILL."""

import shutil
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from gensr.features.store.errors import StoreError
from gensr.pipeline.extraction.extract import ExtractConfig, extract
from support import stub
from support.checkpoints import save_checkpoint
from support.command import GENSR
from support.trees import tree

CLIPS = 120


@pytest.fixture(scope="module")
def hubert(tmp_path_factory):
    """A small HuBERT with random weights, saved as transformers saves it."""
    folder = tmp_path_factory.mktemp("encoder") / "hubert"
    save_checkpoint("hubert-large", folder)
    return folder


@pytest.mark.slow
def test_killed_and_resumed(hubert, out, tmp_path):
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


def test_other_weights_under_the_same_name_keep_no_vector(hubert, out, tmp_path):
    """One tensor of a folder is changed in its place: nothing is added to vectors of the old."""
    from safetensors.torch import load_file, save_file

    corpus, folder = stub.write_corpus(tmp_path / "corpus", clips=6), tmp_path / "hubert"
    shutil.copytree(hubert, folder)
    config = ExtractConfig(encoder=str(folder), device="cpu")
    extract(corpus, out, config)
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    name = max(tensors, key=lambda name: tensors[name].numel())
    tensors[name].view(-1)[0] += 1e-3
    save_file(tensors, weights, metadata={"format": "pt"})
    stub.write_clip(corpus / "sad/new.wav", 99)
    with pytest.raises(StoreError, match=r"encoder\.weights_sha256"):
        extract(corpus, out, config)
    report = extract(corpus, out, replace(config, overwrite=True))
    assert (report.encoded, report.skipped) == (7, 0)
