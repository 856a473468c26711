"""One file, one stream: two are refused by name; tags, padding and odd ends are not."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from gensr.features.audio.errors import AudioError
from gensr.features.hearing.decode import read_audio
from gensr.features.media import second

FORMS = {
    "wav": ("WAV", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "nist": ("NIST", "PCM_16"),
    "voc": ("VOC", "PCM_16"),
    "avr": ("AVR", "PCM_16"),
}


def made(name, rate=16_000, channels=1, hertz=200, seconds=1.0):
    form, subtype = FORMS[name]
    time = np.arange(round(seconds * rate)) / rate
    samples = np.tile(0.3 * np.sin(2 * np.pi * hertz * time)[:, None], (1, channels))
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


ONCE = {name: made(name) for name in FORMS}


def listen(tmp_path, data):
    path = tmp_path / "clip"
    path.write_bytes(data)
    return read_audio(path).seconds


def reason(tmp_path, data):
    with pytest.raises(AudioError) as caught:
        listen(tmp_path, data)
    return str(caught.value)


@pytest.mark.parametrize("name", FORMS)
def test_a_file_behind_a_file_is_refused_whatever_both_are(tmp_path, name):
    assert listen(tmp_path, ONCE[name]) == pytest.approx(1.0, abs=0.1)
    for other in FORMS.values():
        told = reason(tmp_path, ONCE[name] + ONCE[{v: k for k, v in FORMS.items()}[other]])
        words = ("begins", "more than one", "behind", "second file", "follow the end")
        assert any(word in told for word in words), (other, told)


@pytest.mark.parametrize("gap", [bytes(1), bytes(4_096), b"TAG" + bytes(125), b"junk" * 9])
@pytest.mark.parametrize("name", ["flac", "caf", "ogg", "mp3"])
def test_what_stands_between_two_files_hides_none(tmp_path, name, gap):
    for other in (name, "wav", "mp3"):
        assert "split it" in reason(tmp_path, ONCE[name] + gap + ONCE[other])


@pytest.mark.parametrize("name", ["ogg", "opus", "mp3", "flac"])
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (16_000, 2)])
def test_a_second_part_of_another_rate_or_of_more_channels(tmp_path, name, rate, channels):
    other = made(name, rate, channels, 900)
    told = reason(tmp_path, ONCE[name] + other)
    assert any(word in told for word in ("more than one", "changes", "begins"))


def test_mp3_without_a_header_of_its_own_that_changes_half_way(tmp_path):
    bare, other = _frames(ONCE["mp3"]), _frames(made("mp3", 48_000))
    # libsndfile guesses the length by the first frame's bit rate, and stops there.
    assert "does not say its length" in reason(tmp_path, bare + bare)
    told = reason(tmp_path, bare + other)
    assert told.startswith("the audio changes from 16000 Hz, 1 channel to 48000 Hz, 1 channel")


def _frames(data):
    """Leave out the first frame, which says how many follow."""
    from gensr.features.media.mpeg import mpeg_frame

    return data[mpeg_frame(data[:4]).length :]


APE = b"APETAGEX" + (2_000).to_bytes(4, "little") + (40).to_bytes(4, "little") + bytes(16 + 40)
ID3 = b"ID3\x03\0\0\0\0\x02\0" + bytes(256)
LYRICS = b"LYRICSBEGININD0000200LYR00005hello000042LYRICS200"


@pytest.mark.parametrize(
    "tail", [b"TAG" + b"x" * 125, ID3, APE, LYRICS + b"TAG" + bytes(125), bytes(3_000), b"x" * 50]
)
@pytest.mark.parametrize("name", ["mp3", "flac", "ogg", "caf"])
def test_tags_and_padding_behind_the_end_are_no_second_file(tmp_path, name, tail):
    assert listen(tmp_path, ONCE[name] + tail) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("name", ["mp3", "flac"])
def test_tags_in_front(tmp_path, name):
    assert listen(tmp_path, ID3 + ONCE[name]) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE", "AVERAGE"])
def test_mp3_of_every_sort_is_one_file(tmp_path, rate, mode):
    samples = np.random.default_rng(0).normal(0, 0.1, (rate, 2))
    path = tmp_path / "a.mp3"
    soundfile.write(path, samples, rate, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode=mode)
    assert read_audio(path).seconds == pytest.approx(1.0, abs=0.1)


def test_bytes_lost_or_put_between_frames_and_pages(tmp_path):
    mp3 = _frames(ONCE["mp3"])
    middle = len(mp3) // 2
    assert "damage" in reason(tmp_path, mp3[:middle] + b"garbage" * 100 + mp3[middle:])
    assert "lacks" in reason(tmp_path, mp3[:-5])
    ogg = made("ogg", seconds=9)
    page = ogg.rindex(b"OggS")
    assert "no Ogg page" in reason(tmp_path, ogg[:page] + b"x" * 99 + ogg[page:])


def test_two_ogg_streams_side_by_side(tmp_path):
    one, two = made("ogg"), bytearray(made("opus"))
    first = one.index(b"OggS", 4)
    second = two.index(b"OggS", 4)
    both = one[:first] + bytes(two[:second]) + one[first:] + bytes(two[second:])
    assert "more than one audio stream (side by side)" in reason(tmp_path, both)


@settings(max_examples=60, deadline=None)
@given(
    first=st.sampled_from(sorted(FORMS)),
    second=st.sampled_from(sorted(set(FORMS) - {"avr"})),
    padding=st.integers(0, 3_000),
    hertz=st.integers(100, 3_000),
    rate=st.sampled_from([16_000, 48_000]),
)
def test_two_files_are_never_one(tmp_path_factory, first, second, padding, hertz, rate):
    data = made(first, seconds=0.5) + bytes(padding) + made(second, rate, hertz=hertz, seconds=0.5)
    assert reason(tmp_path_factory.mktemp("two"), data)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["mp3", "flac", "ogg", "caf"]), st.binary(max_size=2_000))
def test_bytes_that_are_nothing_are_no_second_file(tmp_path_factory, name, tail):
    assert listen(tmp_path_factory.mktemp("tail"), ONCE[name] + tail) > 0.9


WORDS = b"a picture's text: RIFF\x24\0\0\0WAVEfmt , fLaC\0\0\0\x22, OggS\0\x02" + bytes(64)


def described(name, words, *, in_front):
    """A file with a chunk, or block, that describes it and holds these words."""
    data = ONCE[name]
    if name == "flac":
        first = 4 + 4 + 34
        sizes = (3, len(b"image/jpeg"), 0, 1, 1, 24, 0, len(words))
        three = [number.to_bytes(4, "big") for number in sizes]
        words = b"".join([*three[:2], b"image/jpeg", *three[2:], words])
        block = bytes([6]) + len(words).to_bytes(3, "big") + words
        return data[:first] + block + data[first:]
    order = "big" if name == "aiff" else "little"
    chunk = (b"ID3 " if name == "aiff" else b"id3 ") + len(words).to_bytes(4, order)
    chunk += words + bytes(len(words) % 2)
    whole = data[:12] + chunk + data[12:] if in_front else data + chunk
    return whole[:4] + (len(whole) - 8).to_bytes(4, order) + whole[8:]


@pytest.mark.parametrize("in_front", [True, False])
@pytest.mark.parametrize("name", ["wav", "aiff", "flac"])
def test_what_describes_a_file_may_hold_any_bytes(tmp_path, name, in_front):
    for words in (WORDS, WORDS + b"x", ONCE["wav"], ONCE["flac"]):
        data = described(name, words, in_front=in_front)
        assert listen(tmp_path, data) == 1.0
        told = reason(tmp_path, data + ONCE["wav"])
        assert "begins" in told or "follow the end" in told or "damaged" in told
        assert "\n" not in told


def test_a_chunk_that_is_a_file_is_a_second_one(tmp_path):
    """By its name it describes nothing; RIFF and its size are a well-made chunk."""
    data = ONCE["wav"]
    told = reason(tmp_path, data[:12] + ONCE["wav"] + data[12:])
    assert "begins at byte 12" in told


@pytest.mark.parametrize("place", [0, 1, 7, 996, 997])
@pytest.mark.parametrize("name", [name for name, _ in second._NEEDLES])
def test_every_needle_is_found_wherever_it_stands(name, place):
    block = bytearray(b"RI" * 500 + b"\xff")
    assert not second._has_needle(bytes(block))
    place = min(place, len(block) - len(name))
    block[place : place + len(name)] = name
    assert second._has_needle(bytes(block))
    assert not second._has_needle(bytes(block[: place + len(name) - 1]))
    assert not second._has_needle(b"")
