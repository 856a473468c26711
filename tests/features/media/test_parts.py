"""Parts of files that FFmpeg decodes: what the same cut of the whole file's samples is."""

import numpy as np
import pytest

from gensr.estimator.errors import AudioError
from gensr.features import once
from gensr.features.audio import decode, open_audio
from gensr.features.decoders import read_again, shared_decoders
from gensr.features.segments import locate

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
