"""A part of a file is, to the bit, what the same cut saved as a file of its own would be."""

import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensr.features.audio import frames, kept, mixdown, once
from gensr.features.audio import hashes as hashes_of_files
from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import Segment, file_of, locate, name_of, take_apart
from gensr.features.corpora import Clip
from gensr.features.hearing import decode as audio
from gensr.features.hearing.decode import read_audio
from gensr.features.hearing.survey import survey

FORMS = {
    "16.wav": ("WAV", "PCM_16"),
    "u8.wav": ("WAV", "PCM_U8"),
    "float.wav": ("WAV", "FLOAT"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "16.aiff": ("AIFF", "PCM_16"),
    "24.flac": ("FLAC", "PCM_24"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.ogg": ("OGG", "OPUS"),
    "3.mp3": ("MP3", "MPEG_LAYER_III"),
}
CUTS = ((0.0, 0.5), (0.3, 0.31), (0.0625, 0.7), (0.731, None), (0.0, None), (0.4003, 0.87654))


@pytest.fixture(params=["fresh", "settled"])
def clock(request, monkeypatch):
    """Files that were just written, and older ones, of which more is kept."""
    if request.param == "settled":
        monkeypatch.setattr(once, "SETTLED_SECONDS", -1e9)
    monkeypatch.setattr(frames, "_held", once.Once(1_000))
    monkeypatch.setattr(frames, "kept", once.Once(kept.KEPT_BYTES, kept.kept._size))
    monkeypatch.setattr(hashes_of_files, "_hashes", once.Once(1_000))
    monkeypatch.setattr(audio, "_counted", once.Once(1_000))


def noise(rate, channels, seconds=1.1, seed=0):
    rng = np.random.default_rng(seed)
    return 0.3 * rng.standard_normal((round(seconds * rate), channels)).clip(-3, 3)


def written(path, rate, channels, seed=0):
    form, subtype = FORMS[path.name]
    soundfile.write(path, noise(rate, channels, seed=seed), rate, format=form, subtype=subtype)
    return path


def saved_apart(path, start, end, channel):
    """The same cut as a file of its own, of float samples, and what is heard there.

    Read in blocks: soundfile seeks behind each, after which an MP3's last bits may be others.
    """
    blocks = []
    with soundfile.SoundFile(path) as sound:
        rate, size = sound.samplerate, frames.BLOCK_SAMPLES // sound.channels
        while len(block := sound.read(size, dtype="float32", always_2d=True)):
            blocks.append(block)
    samples = np.concatenate(blocks)
    stop = None if end is None else round(end * rate)
    cut = samples[round(start * rate) : stop]
    cut = cut if channel is None else cut[:, channel]
    alone = path.with_name("apart.wav")
    soundfile.write(alone, cut, rate, format="WAV", subtype="FLOAT")
    return read_audio(alone)


def named(path, start, end=None, channel=None):
    bounds = (None if time is None else Decimal(str(time)) for time in (start, end))
    return Path(name_of(str(path), Segment(*bounds, channel)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (24_000, 2)])
def test_a_part_is_the_cut_saved_apart(form, rate, channels, tmp_path, clock):
    path = written(tmp_path / form, rate, channels)
    whole = read_audio(path)
    for channel in (None, channels - 1):
        for start, end in CUTS:
            name = named(path, start, end, channel)
            if end is not None and end - start < 0.025:
                with pytest.raises(AudioError, match="too short"):
                    read_audio(name)
                continue
            part, alone = read_audio(name), saved_apart(path, start, end, channel)
            assert part.sha256 == alone.sha256, name
            assert part.file_sha256 == whole.file_sha256


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_cut_of_any_signal(data, tmp_path_factory):
    rate = data.draw(st.integers(8_000, 48_000), "rate")
    channels = data.draw(st.integers(1, 3), "channels")
    form = data.draw(st.sampled_from(["16.wav", "float.wav", "24.flac"]), "form")
    time = st.decimals(0, "1.1", places=data.draw(st.sampled_from([1, 3, 9]), "places"))
    start, end = sorted([data.draw(time, "start"), data.draw(time, "end")])
    channel = data.draw(st.none() | st.integers(0, channels - 1), "channel")
    path = written(tmp_path_factory.mktemp("cut") / form, rate, channels, rate)
    if end <= start:
        with pytest.raises(AudioError, match="not after its beginning"):
            Segment(start, end)
        return
    name = Path(name_of(str(path), Segment(start, end, channel)))
    try:
        expected = saved_apart(path, start, end, channel).sha256
    except AudioError:
        with pytest.raises(AudioError, match=r"too short|silent"):
            read_audio(name)
    else:
        assert read_audio(name).sha256 == expected


TIMES = st.integers(0, 10**18 - 1).map(lambda nanoseconds: Decimal(nanoseconds).scaleb(-9))


@settings(max_examples=60, deadline=None)
@given(
    file=st.text("a#t=1,&/.\u0661", min_size=1).filter(lambda text: not text.endswith("/")),
    start=TIMES,
    lasts=TIMES | st.none(),
    channel=st.none() | st.integers(0, 9_999),
)
def test_names_are_taken_apart_into_what_they_were_made_of(file, start, lasts, channel):
    end = None if lasts is None else start + lasts
    if end is not None and not start < end < 10**9:
        with pytest.raises(AudioError):
            Segment(start, end, channel)
        return
    segment = Segment(start, end, channel)
    name = name_of(file, segment)
    assert (name == file) == (segment == Segment())
    if name != file:
        assert take_apart(name) == (file, segment)
        assert file_of(name) == file
        assert name_of(*take_apart(name)) == name


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("a.wav#t=01.500,4.0", "a.wav#t=1.5,4"),
        ("a.wav#t=,4", "a.wav#t=0,4"),
        ("a.wav#t=4", "a.wav#t=4"),
        ("a.wav#channel=01&t=1", "a.wav#t=1&channel=1"),
        ("a.wav#t=0", "a.wav"),
        ("a.wav#t=0.1234567894,1", "a.wav#t=0.123456789,1"),
        ("a#1.wav#t=1", "a#1.wav#t=1"),
    ],
)
def test_a_part_has_one_name(spelled, name):
    assert name_of(*take_apart(spelled)) == name


@pytest.mark.parametrize(
    "name",
    [
        *("a#1.wav", "a.wav#", "#t=1", "d#t=1/a.wav", "d/#t=1", "a.wav#t=", "a.wav#t=1,"),
        *("a.wav#t=x", "a.wav#t=-1", "a.wav#t=1,2,3", "a.wav#t=1&t=2", "a.wav#channel="),
        *("a.wav#T=1", "a.wav#t=1&", "a.wav#t=1#x", "a.wav#t=npt:1", "a.wav#t=\u0661"),
    ],
)
def test_other_names_are_files(name):
    assert take_apart(name) == (name, None)


def test_a_file_that_is_named_like_a_part_is_refused(tmp_path):
    written(tmp_path / "16.wav", 16_000, 1)
    twin = tmp_path / "16.wav#t=0.1,0.9"
    assert locate(twin)[0].name == "16.wav"
    twin.write_bytes((tmp_path / "16.wav").read_bytes())
    clips = [Clip(path=name, corpus="c") for name in ("16.wav", twin.name)]
    found = survey(tmp_path, clips)
    assert [item.clip.path for item in found.heard] == ["16.wav"]
    (problem,) = found.problems
    assert problem.reason == ("reads like a part of 16.wav, and is a file itself: rename the file")


@pytest.mark.parametrize("form", ["16.wav", "24.flac", "vorbis.ogg", "3.mp3"])
def test_what_is_not_in_the_file(form, tmp_path, clock):
    path = written(tmp_path / form, 16_000, 1)
    last = len(soundfile.read(path)[0]) / 16_000
    for _ in range(2):
        for start, end, channel, said in (
            (0.5, last + 0.02, None, r"ends at .* s, but its file at 1\.1\d? s"),
            (last + 0.02, None, None, r"begins at .* s, but its file ends at 1\.1"),
            (5, 6, None, r"ends at 6 s, but its file"),
            (0.1, 0.9, 1, "channel 1 is none of its 1: they count from 0"),
            (0.2, 0.2249, None, "too short: 39[89] samples"),
            (0.2, 0.20001, None, "too short"),
        ):
            with pytest.raises(AudioError, match=said):
                read_audio(named(path, start, end, channel))
        rounded = read_audio(named(path, 0.5, round(last + 0.008, 6)))
        assert rounded.sha256 == read_audio(named(path, 0.5)).sha256


def test_silence_is_that_of_the_part(tmp_path):
    sound = noise(16_000, 1)
    sound[4_000:12_000] = 0
    soundfile.write(tmp_path / "a.wav", sound, 16_000)
    with pytest.raises(AudioError, match="silent: all 6400"):
        read_audio(named(tmp_path / "a.wav", 0.3, 0.7))
    assert read_audio(named(tmp_path / "a.wav", 0.2, 0.7)).seconds == 0.5


def test_a_part_of_a_broken_file_is_refused_as_the_file_is(tmp_path, clock):
    for form in ("16.wav", "24.flac", "vorbis.ogg", "16.aiff"):
        path = written(tmp_path / form, 16_000, 1)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(AudioError) as caught:
            read_audio(path)
        for _ in range(2):
            with pytest.raises(AudioError) as part:
                read_audio(named(path, 0.1, 0.3))
            assert str(part.value) == str(caught.value)


def test_a_part_of_a_file_that_is_too_long(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(mixdown, "LONGEST_SECONDS", 1)
    monkeypatch.setattr(frames, "KEPT_BYTES", 0)
    monkeypatch.setattr(frames, "BLOCK_SAMPLES", 1_000)
    for form in ("16.wav", "24.flac", "vorbis.ogg", "3.mp3"):
        path = written(tmp_path / form, 16_000, 1)
        with pytest.raises(AudioError, match="longer than"):
            read_audio(path)
        for _ in range(2):
            for start, end in ((0.2, 0.9), (0.05, 0.1), (0.9, None)):
                alone = saved_apart(path, start, end, None)
                assert read_audio(named(path, start, end)).sha256 == alone.sha256
            with pytest.raises(AudioError, match="longer than"):
                read_audio(named(path, 0.05))


def counted(monkeypatch, owner, name):
    calls, real = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *given: calls.append(given) or real(*given))
    return calls


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("clock", ["settled"], indirect=True)
def test_many_parts_cost_one_reading(form, tmp_path, clock, monkeypatch):
    path = written(tmp_path / form, 16_000, 1)
    hashes = counted(monkeypatch, hashes_of_files, "hash_bytes")
    decoded = []
    real = frames.Frames._read

    def reading(self, count):
        block = real(self, count)
        decoded.append(0 if block is None else len(block))
        return block

    monkeypatch.setattr(frames.Frames, "_read", reading)
    for number in range(40):
        read_audio(named(path, number / 100, number / 100 + 0.05))
    assert len(hashes) == 1
    assert sum(decoded) < 20_000 + 40 * 801


def test_a_changed_file_is_hashed_and_decoded_again(tmp_path, clock):
    for form in ("16.wav", "24.flac", "3.mp3"):
        path = written(tmp_path / form, 16_000, 1, seed=1)
        before = read_audio(named(path, 0.1, 0.5))
        path.unlink()
        written(path, 16_000, 1, seed=2)
        os.utime(path, (1_000_000_000, 1_000_000_000))
        after = read_audio(named(path, 0.1, 0.5))
        assert after.file_sha256 != before.file_sha256
        assert after.sha256 == saved_apart(path, 0.1, 0.5, None).sha256


def test_what_is_known_of_a_file_says_nothing_of_its_parts(tmp_path):
    written(tmp_path / "16.wav", 16_000, 1)
    names = ("16.wav", "16.wav#t=0,0.5", "16.wav#t=0.5", "16.wav#t=0.5&channel=0")
    clips = [Clip(path=name, corpus="c") for name in names]
    known = {}
    first = survey(tmp_path, clips, keep=known.__setitem__)
    sha = read_audio(tmp_path / "16.wav").file_sha256
    assert list(known) == [sha + name.removeprefix("16.wav") for name in names]
    assert [item.seconds for item in first.heard] == [1.1, 0.5, 0.6, 0.6]
    assert len({item.file_sha256 for item in first.heard}) == 1
    again = survey(tmp_path, clips, known=known)
    assert (again.heard, again.decoded) == (first.heard, 0)
    assert survey(tmp_path, clips, known={sha: known[sha]}).decoded == 3


def test_a_length_that_is_not_the_files_is_told(tmp_path):
    written(tmp_path / "16.wav", 16_000, 1)
    for length, used in ((1.1, 1), (1.15, 1), (0.6, 0)):
        found = survey(tmp_path, [Clip(path="16.wav", corpus="c", length=(length, 0.1))])
        assert len(found.heard) == used
    assert found.problems[0].reason.startswith("lasts 1.10 s, but its row says 0.6 s")
