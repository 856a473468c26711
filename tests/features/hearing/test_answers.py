"""What a decoder answers: the samples of the file that was meant, and no word of a library."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.features.audio.errors import AudioError
from gensr.features.audio.hashes import hash_file
from gensr.features.hearing import decode as audio
from gensr.features.hearing.decode import read_audio
from gensr.features.hearing.decoders import read_again, shared_decoders
from support import decoding

NAMES = [
    "new\nline.wav",
    'quote".wav',
    "back\\slash.wav",
    "\u00e4\u4e2d\U0001f600.wav",
    "tab\t.wav",
    " .wav",
    "-P",
]


def test_what_a_library_prints_is_no_answer(root, worse, capfd):
    path = decoding.write(root / "print.wav")
    assert worse(1).hear(path) == decoding.heard_alone(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", NAMES)
def test_odd_names(tmp_path, name):
    path = decoding.write(tmp_path / name)
    assert shared_decoders().hear(path) == decoding.heard_alone(path)


def test_names_that_are_not_utf_8(tmp_path):
    try:
        path = decoding.write(tmp_path / os.fsdecode(b"caf\xe9\xff.wav"))
    except (OSError, soundfile.LibsndfileError):
        pytest.skip("this file system takes UTF-8 alone")
    assert shared_decoders().hear(path) == decoding.heard_alone(path)


def test_relative_paths_follow_this_process(tmp_path, monkeypatch):
    for number, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        decoding.write(tmp_path / folder / "a.wav", number)
        monkeypatch.chdir(tmp_path / folder)
        assert shared_decoders().hear(Path("a.wav")) == decoding.heard_alone(
            tmp_path / folder / "a.wav"
        )


def test_other_rates_are_heard_alike(tmp_path):
    path = decoding.write(tmp_path / "a.wav", 50, rate=22_050)
    assert shared_decoders().hear(path) == decoding.heard_alone(path)


def test_what_libmpg123_thinks_of_a_file_is_told_to_nobody(tmp_path):
    """It writes to standard error itself, in the middle of a progress bar and without the name."""
    time = np.arange(48_000) / 16_000
    path = tmp_path / "a.mp3"
    soundfile.write(path, 0.3 * np.sin(900 * time), 16_000, format="MP3")
    data = bytearray(path.read_bytes())
    place = data.index(b"Info") if b"Info" in data else data.index(b"Xing")
    data[place + 12 : place + 16] = (len(data) * 9).to_bytes(4, "big")  # bytes of the stream
    path.write_bytes(data)
    code = """
import sys
from pathlib import Path
from gensr.features.hearing.decode import read_audio
from gensr.features.hearing.decoders import shared_decoders
from gensr.features.encoding.encode import Clips
path = Path(sys.argv[1])
if sys.argv[2] == "itself":
    read_audio(path)
else:
    sha, verdict = shared_decoders().hear(path)
    clips = Clips(
        root=path.parent,
        paths=(path.name,),
        samples=(verdict.samples,),
        file_sha256=(sha,),
        audio_sha256=(verdict.audio_sha256,),
    )
    print(len(clips.read(0)) == verdict.samples > 40_000)
"""
    assert (
        "Xing" in decoding.run(tmp_path, code, path, "itself").stderr
    )  # or the test shows nothing
    result = decoding.run(tmp_path, code, path, "apart")
    assert (result.stdout, result.stderr) == ("True\n", "")


def test_samples_come_from_the_process_whole_and_of_the_bytes_that_were_heard(root, worse):
    decoders = worse(1)
    path = root / "01.wav"
    heard, alone = decoders.hear(path), read_audio(path)
    found = decoders.read(path, heard[0])
    np.testing.assert_array_equal(found.samples, alone.samples)
    assert found.file_sha256 == heard[0]
    decoding.write(path, 44)
    with pytest.raises(AudioError, match=r"^changed since it was first heard$") as told:
        decoders.read(path, heard[0])
    assert told.value.__cause__ is None
    with pytest.raises(AudioError, match="crashed") as told:
        decoders.read(decoding.write(root / "crash.wav"), hash_file(root / "crash.wav"))
    assert isinstance(told.value.__cause__, OSError)  # another attempt may succeed
    np.testing.assert_array_equal(
        decoders.read(path, hash_file(path)).samples, read_audio(path).samples
    )


def test_what_is_not_decoded_in_this_process_comes_from_another(tmp_path, monkeypatch):
    time = np.arange(16_000) / 16_000
    for name, form in (("a.mp3", "MP3"), ("a.ogg", "OGG"), ("a.wav", "WAV")):
        soundfile.write(tmp_path / name, 0.3 * np.sin(900 * time), 16_000, format=form)
    expected = {path.name: read_audio(path) for path in sorted(tmp_path.iterdir())}
    here = []
    decode = audio.decode
    monkeypatch.setattr(
        audio, "decode", lambda file, *part, **more: here.append(file.name) or decode(file)
    )
    for name, wave in expected.items():
        again = read_again(tmp_path / name, wave.file_sha256)
        np.testing.assert_array_equal(again.samples, wave.samples)
    assert [Path(name).name for name in here] == ["a.wav"]
    with pytest.raises(AudioError, match="changed since"):
        read_again(tmp_path / "a.mp3", "0" * 64)
