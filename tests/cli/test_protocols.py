"""Protocols from the command line: an argument, a file, a leak; one line where it cannot be."""

import json
from pathlib import Path

from support import tones


def test_a_leak_is_one_line_and_allowed_by_its_flag(gensr, here):
    root = tones.write_corpus(here / "twins", sentences=1)
    (root / "DC/sad-0.wav").write_bytes((root / "JE/sad-0.wav").read_bytes())
    gensr("extract", "twins", "--encoder", "fbank", "--out", "twins.zarr").ok()
    asked = ("train", "twins.zarr", "--run", "r", "--model", "linear", "--steps", 2)
    said = "leak: 2 of 12 tested clips (16.7 %) are identical in audio"
    assert said in gensr(*asked).complaint
    assert not Path("r").exists()
    allowed = gensr(*asked, "--allow-leaks").ok()
    assert allowed.err.index(said) < allowed.err.index("share their sentence")
    for command in ("eval", "compare"):
        assert gensr(command, "r").ok().out.startswith(f"note: {said}")
    kept = json.loads(Path("r/protocol.json").read_text())["protocol"]
    assert kept["leaks"] == {"audio_sha256": 2}


def test_folds_of_ones_own(gensr, here):
    tones.write_corpus(here / "tones")
    gensr("extract", "tones", "--encoder", "fbank", "--out", "tones.zarr").ok()
    Path("mine.toml").write_text('name = "mine"\n[folds]\ncolumn = "sentence"\n')
    asked = ("train", "tones.zarr", "--model", "linear", "--steps", 2)
    assert ": mine (" in gensr(*asked, "--run", "a", "--protocol", "mine.toml").ok().out
    assert ": kfold:3 (" in gensr(*asked, "--run", "b", "--protocol", "kfold:3").ok().out
    Path("mine.toml").write_text('name = "mine"\nfold = "sentence"\n')
    complaint = gensr(*asked, "--run", "c", "--protocol", "mine.toml").complaint
    assert "mine.toml, line 2: fold is no key" in complaint
