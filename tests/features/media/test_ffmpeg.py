"""What libsndfile does not read: FFmpeg's samples, whole, of one stream, or a reason."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.features.audio.errors import AudioError
from gensr.features.encoders import Encoder
from gensr.features.hearing.decode import content_address, read_audio
from gensr.features.hearing.decoders import read_again, shared_decoders
from gensr.features.media.ffmpeg import load_av
from gensr.features.store import open_store
from gensr.pipeline.extraction.extract import ExtractConfig, extract

KINDS = {
    "a.webm": {"codec": "libopus", "rate": 48_000},
    "v.webm": {"codec": "libopus", "rate": 48_000, "channels": 2, "video": "libvpx"},
    "a.mka": {"codec": "flac"},
    "v.mkv": {"codec": "libmp3lame", "video": "mpeg4"},
    "v.mp4": {"codec": "aac", "rate": 44_100, "channels": 2, "video": "mpeg4"},
    "a.m4a": {"codec": "alac"},
    "a.aac": {"codec": "aac", "form": "adts"},
    "v.avi": {"codec": "pcm_s16le", "channels": 2, "video": "mpeg4"},
    "m.avi": {"codec": "libmp3lame", "video": "mpeg4"},
    "p.mov": {"codec": "pcm_s16be"},
    "a.flv": {"codec": "aac", "rate": 44_100},
    "a.wma": {"codec": "wmav2", "form": "asf"},
    "a.amr": {"codec": "libopencore_amrnb", "rate": 8_000},
    "a.3gp": {"codec": "libopencore_amrnb", "rate": 8_000},
    "v.ts": {"codec": "aac", "rate": 48_000, "channels": 2, "video": "mpeg4", "form": "mpegts"},
    "a.mpg": {"codec": "mp2", "rate": 48_000, "form": "mpeg"},
    "a.wv": {"codec": "wavpack"},
}
TOLERANT = {"v.mkv", "a.mpg", "v.ts"}
"""Where versions of FFmpeg differ by the encoder's delay."""
STREAMS = {"v.ts", "a.mpg"}
"""Made to be cut into; a part of one is whole."""


def reason(path):
    with pytest.raises(AudioError) as caught:
        read_audio(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_samples_are_those_of_the_ffmpeg_command(make, name):
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg to compare with")
    how = dict(KINDS[name])
    how["rate"] = rate = how.get("rate", 16_000)
    path = make(name, **how)
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-c:a", "pcm_f32le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    expected = np.frombuffer(raw, "<f4").reshape(-1, how.get("channels", 1)).mean(axis=1)
    from gensr.features.hearing.decode import decode, open_audio

    with open_audio(path) as file:
        found, found_rate = decode(file)
    assert found_rate == rate
    if name not in TOLERANT:
        assert len(found) == len(expected)
        assert np.abs(found - expected).max() < 1e-3  # fixed-point and SIMD differ by versions
    else:
        assert abs(len(found) - len(expected)) <= 0.07 * rate


@pytest.mark.parametrize("name", KINDS)
def test_the_process_of_its_own_gives_the_same_samples(make, name):
    path = make(name, **KINDS[name])
    wave = read_audio(path)
    file_sha, verdict = shared_decoders().hear(path)
    assert (verdict.reason, file_sha) == ("", wave.file_sha256)
    assert verdict.audio_sha256 == wave.sha256 == content_address(read_audio(path).samples)
    again = read_again(path, file_sha)
    np.testing.assert_array_equal(again.samples, wave.samples)
    assert 0.95 < again.seconds < 1.15


@pytest.mark.parametrize("name", KINDS)
def test_two_files_and_half_a_file_are_refused(make, name):
    data = make(name, **KINDS[name]).read_bytes()
    path = make.folder / "damaged"
    if name not in STREAMS | {"a.aac"}:  # these have no beginning: two are one stream
        path.write_bytes(data + data)
        assert "file" in reason(path) or name == "a.wv"
    for kept in (0.5, 0.9):
        odd = 77 if name in STREAMS else 1  # a cut between two packets of these is none
        path.write_bytes(data[: int(kept * len(data)) // 2 * 2 + odd])
        assert reason(path)


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts", "v.avi"])
def test_two_audio_streams_are_refused_by_name(make, name):
    told = reason(make(name, **KINDS[name], tracks=2))
    assert told.startswith("2 audio streams")


def test_video_without_sound_is_named(make):
    path = make("v.mkv", "", video="mpeg4", tracks=0)
    assert "without audio" in reason(path)


def test_channels_that_cancel_and_silence(make):
    one = np.random.default_rng(0).normal(0, 0.1, (16_000, 1))
    told = reason(make("x.mka", "flac", channels=2, samples=np.hstack([one, -0.99 * one])))
    assert told.startswith("its 2 channels cancel")
    assert "silent" in reason(make("y.mka", "flac", samples=np.zeros((16_000, 1))))


def test_without_av_one_line_says_what_to_install(make, monkeypatch):
    path = make("a.webm", **KINDS["a.webm"])
    load_av.cache_clear()
    monkeypatch.setitem(sys.modules, "av", None)
    told = reason(path)
    load_av.cache_clear()
    assert told.startswith("Matroska or WebM, which libsndfile does not read: pip install 'gensr[m")


def test_a_list_of_other_files_is_not_followed(tmp_path):
    for text in ("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile a.wav\n"):
        (tmp_path / "x.mp4").write_text(text)
        assert "Format not recognised" in reason(tmp_path / "x.mp4")


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_media_are_refused_or_heard_at_their_length(make, data):
    """Bytes cut out, put in or changed in the structure never give half a clip."""
    name = data.draw(st.sampled_from(sorted(set(KINDS) - STREAMS)))
    if name not in make.whole:
        make.whole[name] = make(name, **KINDS[name]).read_bytes()
    whole = make.whole[name]
    place = data.draw(st.integers(0, len(whole) - 1))
    count = data.draw(st.integers(1, 2_000))
    how = data.draw(st.sampled_from(["cut", "drop", "zeros"]))
    broken = {
        "cut": whole[:place],
        "drop": whole[:place] + whole[place + count :],
        "zeros": whole[:place] + bytes(len(whole[place : place + count])) + whole[place + count :],
    }[how]
    path = make.folder / "broken"
    path.write_bytes(broken)
    try:
        seconds = read_audio(path).seconds
    except AudioError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        # Raw AMR and ADTS are frame after frame: cut between two, they are whole, and shorter.
        assert seconds > 0.7 or how == "zeros" or name.endswith((".amr", ".aac"))


class Length(Encoder):
    """A clip's vector is its length, as the encoder is given it."""

    name = "length"
    layers = ("x1",)
    width = 1
    equal_lengths = False

    def _encode(self, waveforms):
        return np.array([[[len(wave)]] for wave in waveforms], np.float32)

    def provenance(self):
        return {"name": self.name}


def test_a_corpus_of_videos_is_extracted_and_no_process_but_the_decoders_loads_ffmpeg(make, capfd):
    root = make.folder / "corpus"
    for number, (emotion, name) in enumerate(
        [("sad", "a.webm"), ("sad", "v.avi"), ("happy", "v.mp4"), ("angry", "a.amr")]
    ):
        (root / emotion).mkdir(parents=True, exist_ok=True)
        suffix = "" if name == "v.mp4" else name[1:]
        make(name, **KINDS[name]).rename(root / emotion / f"{number}{suffix}")
    (root / "angry" / "broken.webm").write_bytes(b"\x1aE\xdf\xa3" + bytes(500))
    sys.modules.pop("av", None)
    config = ExtractConfig(encoder="length", allow_errors=1)
    report = extract(root, make.folder / "s.zarr", config, encoder=Length())
    assert [item.path for item in report.failed] == ["angry/broken.webm"]
    assert any("1 file (no suffix 1) audio by content" in note for note in report.notes)
    with open_store(make.folder / "s.zarr") as store:
        assert store.table["path"].tolist() == ["angry/3.amr", "happy/2", "sad/0.webm", "sad/1.avi"]
        vectors = store.vectors()[:, 0, 0].tolist()
        assert vectors == store.table["samples"].tolist()
        assert all(15_000 < samples < 18_000 for samples in vectors)
    assert "av" not in sys.modules
    assert capfd.readouterr().err == ""
