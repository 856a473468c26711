"""Parts of files that FFmpeg decodes: what the same cut of the whole file's samples is."""

import numpy as np
import pytest
import soundfile

from gensr.features.audio import frames, kept, once
from gensr.features.audio.errors import AudioError
from gensr.features.audio.segments import locate
from gensr.features.hearing import decode as audio
from gensr.features.hearing.decode import decode, open_audio
from gensr.features.hearing.decoders import read_again, shared_decoders
from gensr.features.media import ffmpeg

KINDS = {
    "v.mp4": {"codec": "aac", "video": "mpeg4"},
    "v.mkv": {"codec": "flac", "video": "mpeg4"},
    "v.webm": {"codec": "libopus", "rate": 48_000, "video": "libvpx"},
    "v.avi": {"codec": "pcm_s16le", "video": "mpeg4"},
    "a.m4a": {"codec": "aac", "rate": 44_100},
}
NOISE = np.random.default_rng(0).normal(0, 0.1, (144_000, 2))


@pytest.fixture(params=["fresh", "settled"])
def clock(request, monkeypatch):
    if request.param == "settled":
        monkeypatch.setattr(once, "SETTLED_SECONDS", -1e9)


def heard(path):
    file, segment = locate(path)
    with open_audio(file) as opened:
        return decode(opened, segment)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", KINDS)
def test_a_part_is_cut_from_the_samples_of_the_whole(make, name):
    path = make(name, **KINDS[name])
    whole, rate = heard(path)
    for start, end in ((0.25, 0.75), (0.0, 0.3), (0.6, None)):
        part, _ = heard(path.with_name(f"{name}#t={start}" + (f",{end}" if end else "")))
        stop = None if end is None else round(end * rate)
        np.testing.assert_array_equal(part, whole[round(start * rate) : stop])


@pytest.mark.usefixtures("clock")
def test_one_channel_of_those_that_cancel_is_heard(make):
    one = NOISE[:16_000, :1]
    path = make("x.mka", "flac", channels=2, samples=np.hstack([one, -one]))
    with pytest.raises(AudioError, match="cancel"):
        heard(path)
    left, right = (heard(path.with_name(f"x.mka#channel={c}"))[0] for c in (0, 1))
    np.testing.assert_allclose(left, -right, atol=1e-4)
    assert left.std() > 0.05
    with pytest.raises(AudioError, match="channel 2 is none of its 2"):
        heard(path.with_name("x.mka#channel=2"))


def test_the_decoders_hear_the_same_part(make):
    path = make("v.mp4", **KINDS["v.mp4"]).with_name("v.mp4#t=0.2,0.8")
    file_sha, verdict = shared_decoders().hear(path)
    assert (verdict.reason, verdict.samples) == ("", 9_600)
    np.testing.assert_array_equal(read_again(path, file_sha).samples, heard(path)[0])


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.webm"])
def test_times_of_a_sound_that_begins_after_its_picture_are_refused(make, name):
    path = make(name, **KINDS[name], late=0.5)
    whole, rate = heard(path)
    assert len(whole) / rate == pytest.approx(1.0, abs=0.1)
    for _ in range(2):
        for times in ("0.2,0.8", "0.3"):
            with pytest.raises(AudioError, match=r"its sound begins 0\.[45]. s after the file"):
                heard(path.with_name(f"{name}#t={times}"))
    one, _ = heard(path.with_name(f"{name}#channel=0"))
    np.testing.assert_array_equal(one, whole)


@pytest.fixture
def decodings(monkeypatch):
    """decodings(room) -> list of all whole and broken off decodings by FFmpeg from here on."""
    monkeypatch.setattr(once, "SETTLED_SECONDS", -1e9)

    def decodings(room=kept.KEPT_BYTES):
        found = []
        monkeypatch.setattr(kept, "KEPT_BYTES", room)
        monkeypatch.setattr(ffmpeg, "kept", once.Once(room, kept.kept._size))
        frames_of = ffmpeg._frames

        def counting(container, stream, times):
            found.append(0)
            for frame in frames_of(container, stream, times):
                found[-1] += frame.samples
                yield frame

        monkeypatch.setattr(ffmpeg, "_frames", counting)
        return found

    return decodings


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_many_parts_is_decoded_once(make, name, decodings):
    path = make(name, **KINDS[name])
    whole, rate = heard(path)
    found = decodings()
    for number in range(40):
        start = number / 50
        part, _ = heard(path.with_name(f"{name}#t={start},{start + 0.1}"))
        first, stop = round(start * rate), round((start + 0.1) * rate)
        np.testing.assert_array_equal(part, whole[first:stop])
    assert len(found) == 1
    path.write_bytes(path.read_bytes())  # another file, as far as the system says
    heard(path.with_name(f"{name}#t=0.1,0.5"))
    assert len(found) == 2


def test_beyond_the_room_a_part_is_decoded_up_to_its_end(make, decodings):
    path = make("a.mka", "flac", seconds=10)
    whole, rate = heard(path)
    found = decodings(room=16_000 * 4 * 5)
    for start in (0.5, 0.25, 4.0):
        part, _ = heard(path.with_name(f"a.mka#t={start},{start + 0.5}"))
        np.testing.assert_array_equal(
            part, whole[round(start * rate) : round((start + 0.5) * rate)]
        )
    assert found[0] == len(whole)
    assert len(found) == 4
    assert max(found[1:]) < 0.9 * len(whole)
    with pytest.raises(AudioError, match="ends at 11"):
        heard(path.with_name("a.mka#t=9,11"))


def test_a_damaged_file_of_many_parts_is_refused_once_for_all(make, decodings):
    path = make("a.mka", "flac", seconds=2)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    found, told = decodings(), set()
    for number in range(20):
        with pytest.raises(AudioError) as caught:
            heard(path.with_name(f"a.mka#t={number / 20},{number / 20 + 0.1}"))
        told.add(str(caught.value))
    assert len(found) == len(told) == 1


@pytest.mark.parametrize("form", ["wav", "flac", "mp3", "ogg"])
def test_a_file_of_many_parts_is_followed_once(tmp_path, monkeypatch, decodings, form):
    """What lies behind its end is looked for in all of its bytes."""
    decodings()
    found = []

    def counting(peek, form, check=audio.check_one_stream):
        found.append(form)
        return check(peek, form)

    monkeypatch.setattr(audio, "check_one_stream", counting)
    monkeypatch.setattr(audio, "_counted", once.Once(1_000))
    monkeypatch.setattr(frames, "kept", once.Once(kept.KEPT_BYTES, kept.kept._size))
    path = tmp_path / f"a.{form}"
    soundfile.write(path, NOISE[:32_000], 16_000)
    for number in range(20):
        heard(path.with_name(f"{path.name}#t={number / 20},{number / 20 + 0.1}"))
    assert len(found) == 1
