import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gensr.features.audio.errors import AudioError
from gensr.features.audio.resample import SAMPLE_RATE
from gensr.features.hearing.decode import MIN_SAMPLES, read_audio, resampling_provenance


def tone(seconds=1.0, rate=SAMPLE_RATE, hertz=440.0):
    """A sine as 16-bit integers, so that every lossless format holds the same numbers."""
    time = np.arange(round(seconds * rate)) / rate
    return (12_000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


@pytest.fixture
def write(tmp_path):
    def put(samples=None, rate=SAMPLE_RATE, form="WAV", subtype="PCM_16", name="clip.wav", **how):
        path = tmp_path / name
        samples = tone(rate=rate) if samples is None else samples
        soundfile.write(path, samples, rate, format=form, subtype=subtype, **how)
        return path

    return put


def reason(path):
    with pytest.raises(AudioError) as caught:
        read_audio(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name not in text  # the caller names the path
    return text


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        *(("WAV", kind) for kind in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
        *((form, "PCM_16") for form in ("WAVEX", "RF64", "W64", "FLAC", "AIFF", "CAF", "NIST")),
        ("AIFF", "FLOAT"),  # AIFF-C
        ("AU", "PCM_16"),
    ],
)
def test_the_same_audio_has_one_address_whatever_the_container_and_suffix(write, form, subtype):
    integers = tone()
    how = {"samples": integers if subtype == "PCM_16" else integers / 32_768}
    waveform = read_audio(write(**how, form=form, subtype=subtype, name="clip.wav"))
    expected = (integers / 32_768).astype(np.float32)
    np.testing.assert_array_equal(waveform.samples, expected)
    assert waveform.samples.dtype == np.float32
    assert waveform.sha256 == hashlib.sha256(expected.tobytes()).hexdigest()
    assert waveform.seconds == 1.0


def test_the_bytes_are_hashed_and_others_are_not_decoded(write, monkeypatch):
    path = write()
    found = read_audio(path)
    assert found.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    again = read_audio(path, file_sha256=found.file_sha256)
    np.testing.assert_array_equal(again.samples, found.samples)
    path.write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setattr("soundfile.SoundFile", None)  # libsndfile is not even asked
    with pytest.raises(AudioError, match=r"^changed since it was first heard$"):
        read_audio(path, file_sha256=found.file_sha256)


def test_a_file_that_becomes_a_pipe_after_it_was_looked_at_keeps_nobody_waiting(write, monkeypatch):
    path = write()
    look = Path.stat

    def exchanged(self, **how):
        status = look(self, **how)
        if self == path:
            path.unlink()
            os.mkfifo(path)
        return status

    monkeypatch.setattr(Path, "stat", exchanged)
    with pytest.raises(AudioError):
        read_audio(path)


@pytest.mark.parametrize(
    ("form", "subtype", "bound"),
    [("WAV", "PCM_U8", 0.01), ("OGG", "VORBIS", 0.05), ("MP3", "MPEG_LAYER_III", 0.05)],
)
def test_lossy_formats_stay_near(write, form, subtype, bound):
    found = read_audio(write(form=form, subtype=subtype, name="clip.mp3")).samples
    assert np.abs(found - tone() / 32_768).max() < bound


def test_channels_are_averaged(write):
    left, right = tone(), tone(hertz=220.0)
    found = read_audio(write(np.stack([left, right], axis=1))).samples
    np.testing.assert_allclose(found, (left / 65_536 + right / 65_536), atol=1e-7)


def test_a_suffix_that_names_raw_samples_misleads_nobody(write):
    assert read_audio(write(form="AIFF", name="clip.raw")).seconds == 1.0


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_414, 44_100, 96_000])
def test_other_rates_become_16_khz(write, rate):
    found = read_audio(write(rate=rate)).samples
    assert len(found) == SAMPLE_RATE
    middle = slice(800, -800)  # the filter has no neighbours at the edges
    assert np.abs(found - tone() / 32_768)[middle].max() < 2e-3


def test_provenance_names_the_resampler():
    assert resampling_provenance()["sample_rate"] == 16_000
    assert "torchaudio" in str(resampling_provenance()["resampler"])


@pytest.mark.parametrize(
    ("form", "subtype", "how"),
    [
        *(("WAV", kind, {}) for kind in ("PCM_16", "PCM_24", "PCM_U8", "FLOAT", "IMA_ADPCM")),
        *((form, "PCM_16", {}) for form in ("WAVEX", "RF64", "W64", "FLAC", "AIFF", "NIST", "AU")),
        ("OGG", "VORBIS", {}),
        ("OGG", "OPUS", {}),
        ("MP3", "MPEG_LAYER_III", {}),
    ],
)
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_truncated_files_are_refused(write, form, subtype, how, kept):
    noise = np.random.default_rng(0).integers(-9_000, 9_000, 32_000).astype(np.int16)
    path = write(noise, form=form, subtype=subtype, **how)
    assert read_audio(path).seconds >= 2.0
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert any(word in reason(path) for word in ("truncated", "malformed"))


def test_a_header_alone(write):
    path = write()
    path.write_bytes(path.read_bytes()[:44])
    assert "truncated" in reason(path)


def test_an_mp3_behind_a_tag_and_one_that_does_not_say_its_length(write):
    noise = np.random.default_rng(0).integers(-9_000, 9_000, 32_000).astype(np.int16)
    silence_first = np.concatenate([np.zeros(48_000, np.int16), noise])
    path = write(silence_first, form="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE")
    content = path.read_bytes()
    tagged = b"ID3\x03\x00\x00\x00\x00\x02\x00" + bytes(256) + content
    path.write_bytes(tagged[: int(0.8 * len(tagged))])
    assert "truncated" in reason(path)
    # Without the Xing frame libsndfile guesses a length twice too long: no promise, no refusal.
    path.write_bytes(content[content.index(content[:2], 4) :])
    assert read_audio(path).seconds == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_F000, 0x8000_0000])
def test_a_wav_written_into_a_pipe_does_not_know_its_size(write, size):
    path = write()
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", size)
    path.write_bytes(content)
    assert read_audio(path).seconds == 1.0


def test_a_flac_header_that_lies_costs_no_memory(write):
    path = write(form="FLAC")
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F  # 2^36 - 1 frames, 256 GiB as float32
    content[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert "truncated" in reason(path)
    content[21] &= 0xF0  # zero: length unknown, which a stream may say
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert "unknown length" in _full_reason(path)


@pytest.mark.parametrize(
    ("offset", "field", "words"),
    [
        (24, struct.pack("<I", 0), "unreadable"),
        (24, struct.pack("<I", 2_000_000), "sample rate of 2000000 Hz"),
        (24, struct.pack("<I", 1), "sample rate of 1 Hz"),
        (22, struct.pack("<H", 0), "unreadable"),
        (22, struct.pack("<H", 65), "65 channels"),
    ],
)
def test_absurd_headers_are_refused(write, offset, field, words):
    path = write()
    content = bytearray(path.read_bytes())
    content[offset : offset + len(field)] = field
    path.write_bytes(content)
    assert words in reason(path)


@pytest.mark.parametrize(
    ("rate", "longest", "words"),
    [
        (8_000, 57_600, "longer than 0.002 h: cut"),
        (16_000, 115_200, "longer than 0.002 h: cut"),
        (48_000, 115_200, "longer than 0.04 min at 48000 Hz: cut"),
    ],
)
def test_a_recording_of_hours_is_refused_before_memory_is(write, monkeypatch, rate, longest, words):
    monkeypatch.setattr("gensr.features.audio.frames.BLOCK_SAMPLES", 1_000)
    monkeypatch.setattr("gensr.features.audio.mixdown.LONGEST_SECONDS", 7.2)
    noise = np.random.default_rng(0).integers(-9_000, 9_000, longest + 1).astype(np.int16)
    assert read_audio(write(noise[:-1], rate=rate)).seconds == pytest.approx(longest / rate)
    assert words in reason(write(noise, rate=rate))


def test_two_hours_of_silence_in_a_small_file_cost_no_memory(tmp_path):
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1, format="FLAC", subtype="PCM_16") as file:
        for _ in range(7_201):
            file.write(np.zeros(16_000, np.int16))
    assert path.stat().st_size < 3_000_000
    assert reason(path).startswith("longer than 2 h: cut it into utterances, or name its parts")


@pytest.mark.parametrize("loud", [1e10, -3e38])
def test_samples_whose_squares_overflow_are_refused(write, loud):
    samples = tone() / 32_768
    samples[100] = loud
    assert "damaged: a sample of" in reason(write(samples, subtype="FLOAT"))
    assert read_audio(write(samples * 0 + tone(), subtype="FLOAT")).samples.max() == 12_000


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(write, bad):
    samples = tone() / 32_768
    samples[100] = bad
    assert "not finite" in reason(write(samples, subtype="FLOAT"))


def test_silence_is_refused(write):
    assert "silent" in reason(write(np.zeros(8_000, np.int16)))
    assert "silent" in reason(write(np.full(8_000, 7, np.int16)))


def test_clips_of_less_than_a_frame_are_refused(write):
    assert len(read_audio(write(tone()[:MIN_SAMPLES])).samples) == MIN_SAMPLES
    assert reason(write(tone()[:399])) == (
        "too short: 399 samples at 16 kHz; an encoder needs at least 400"
    )
    assert "too short: 312 samples" in reason(write(tone(rate=48_000)[: 312 * 3], rate=48_000))
    assert "zero samples" in reason(write(tone()[:0]))


def test_what_is_not_audio_is_refused(tmp_path):
    path = tmp_path / "clip.wav"
    assert "no such file" in reason(path)
    path.write_bytes(b"")
    assert "empty file" in reason(path)
    path.write_bytes(b"RIFF")
    assert "unreadable" in reason(path)
    path.write_bytes(b"emotion,label\n" * 99)
    assert "unreadable: Format not recognised" in reason(path)
    for head in (b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI LIST"):
        path.write_bytes(head + bytes(4_000))
        assert "ffmpeg -i clip.mp4 -ac 1 -ar 16000 clip.wav" in _full_reason(path)


def _full_reason(path):
    with pytest.raises(AudioError) as caught:
        read_audio(path)
    return str(caught.value)


def test_paths_that_are_no_files_are_refused(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    assert "directory" in reason(tmp_path / "folder.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "gone.wav")
    assert "no such file" in reason(tmp_path / "link.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in reason(tmp_path / "pipe.wav")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_refused(write):
    path = write()
    path.chmod(0)
    assert "permission denied" in reason(path)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_reading_needs_no_torch(write, rate):
    code = """
import sys
from pathlib import Path
from gensr.features.hearing.decode import read_audio
assert read_audio(Path(sys.argv[1])).seconds == 1.0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(write(rate=rate))], check=True)


def test_real_clips(corpora):
    wav = next(iter(sorted((corpora / "emodb" / "wav").glob("*.wav"))))
    flac = next(iter(sorted((corpora / "ravdess").glob("Actor_*/*.flac"))))
    for path in (wav, flac):
        assert 1 < read_audio(path).seconds < 15


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.webm"])
def test_a_file_that_was_not_fetched_is_named_as_such(tmp_path, name):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 99\n"
    (tmp_path / name).write_bytes(pointer)
    assert reason(tmp_path / name) == (
        "a Git LFS pointer, not the file itself: fetch it with `git lfs pull`"
    )
    (tmp_path / name).write_bytes(b"/annex/objects/SHA256E-s99--0123.wav\n")
    assert "git annex get" in reason(tmp_path / name)
