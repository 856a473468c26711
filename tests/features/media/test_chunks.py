"""Headers that contradict themselves are refused; what real writers do is heard at its length."""

import io
import struct

import numpy as np
import pytest
import soundfile

from gensr.features.audio.errors import AudioError
from gensr.features.hearing.decode import open_audio, read_audio
from gensr.features.media.fields import check_fields

COUNT = 9_600
CONTAINERS = {
    "wav": ("WAV", "PCM_16", None),
    "24.wav": ("WAV", "PCM_24", None),
    "u8.wav": ("WAV", "PCM_U8", None),
    "float.wav": ("WAV", "FLOAT", None),
    "ulaw.wav": ("WAV", "ULAW", None),
    "big.wav": ("WAV", "PCM_16", "BIG"),
    "extensible.wav": ("WAVEX", "PCM_16", None),
    "rf64.wav": ("RF64", "PCM_16", None),
    "aiff": ("AIFF", "PCM_16", None),
    "24.aiff": ("AIFF", "PCM_24", None),
    "float.aiff": ("AIFF", "FLOAT", None),
    "ulaw.aiff": ("AIFF", "ULAW", None),
    "au": ("AU", "PCM_16", None),
    "little.au": ("AU", "PCM_16", "LITTLE"),
}


def whole(name, channels=1, count=COUNT):
    form, subtype, endian = CONTAINERS[name]
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (count, channels))
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=form, subtype=subtype, endian=endian)
    return bytearray(file.getvalue())


def order(name):
    return ">" if name.endswith("aiff") or name in ("big.wav", "au") else "<"


def put(data, name, place, form, change):
    """Change one number of a header; return what it was."""
    (was,) = struct.unpack_from(order(name) + form, data, place)
    struct.pack_into(order(name) + form, data, place, change(was))
    return was


def add(number):
    return lambda was: was + number


def size_field(name, data):
    """Where the size of the samples is: its place and its type."""
    if name.endswith("au"):
        return 8, "I"
    if name == "rf64.wav":
        return data.index(b"ds64") + 16, "Q"
    return data.index(b"SSND" if name.endswith("aiff") else b"data") + 4, "I"


def listen(tmp_path, data):
    path = tmp_path / "clip"
    path.write_bytes(data)
    return len(read_audio(path).samples)


def reason(tmp_path, data):
    with pytest.raises(AudioError) as caught:
        listen(tmp_path, data)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 160
    return text


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("count", [COUNT, COUNT + 1])
def test_whole_files_pass(tmp_path, name, channels, count):
    pad = name == "ulaw.aiff" and count * channels % 2  # which libsndfile counts as a sample
    assert listen(tmp_path, whole(name, channels, count)) == count + pad


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.99, 1.5, 2, 3])
def test_a_wrong_size_of_the_samples(tmp_path, name, share):
    data = whole(name)
    put(data, name, *size_field(name, data), lambda size: int(size * share))
    assert any(word in reason(tmp_path, data) for word in ("damaged header", "truncated"))


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - {"au", "little.au"}))
@pytest.mark.parametrize(("channels", "lie"), [(1, 2), (2, 1), (2, 4), (3, 1)])
def test_a_wrong_number_of_channels(tmp_path, name, channels, lie):
    data = whole(name, channels)
    place = data.index(b"COMM") + 8 if name.endswith("aiff") else data.index(b"fmt ") + 10
    assert put(data, name, place, "H", lambda _: lie) == channels
    text = reason(tmp_path, data)
    if name.startswith(("float", "rf64")):  # which say it once more, in a PEAK or ds64 chunk
        assert any(word in text for word in ("'PEAK' chunk", "the header promises 0.60 s"))
    else:
        subject = f"{COUNT} frames of " if name.endswith("aiff") else ""
        assert f"damaged header: {subject}{lie} channels" in text


@pytest.mark.parametrize("name", sorted(name for name in CONTAINERS if name.endswith("wav")))
def test_a_wrong_rate_and_a_wrong_width(tmp_path, name):
    data = whole(name)
    place = data.index(b"fmt ") + 12
    put(data, name, place, "I", lambda rate: rate // 2)
    assert "8000 Hz with frames of" in reason(tmp_path, data)
    if CONTAINERS[name][1] == "PCM_16" and name != "rf64.wav":
        data = whole(name)
        put(data, name, place + 10, "H", lambda bits: bits // 2)  # would be noise, twice as long
        assert "1 channels of 8 bits cannot make frames of 2 bytes" in reason(tmp_path, data)


@pytest.mark.parametrize("name", ["aiff", "24.aiff", "float.aiff", "ulaw.aiff"])
@pytest.mark.parametrize("share", [0.5, 2])
def test_a_wrong_number_of_frames(tmp_path, name, share):
    data = whole(name)
    put(data, name, data.index(b"COMM") + 10, "I", lambda frames: int(frames * share))
    assert f"damaged header: {int(COUNT * share)} frames" in reason(tmp_path, data)


@pytest.mark.parametrize("name", ["wav", "big.wav", "rf64.wav", "aiff"])
def test_a_wrong_size_of_the_whole(tmp_path, name):
    place, form = (
        (data.index(b"ds64") + 8, "Q") if (data := whole(name))[:4] == b"RF64" else (4, "I")
    )
    put(data, name, place, form, lambda size: 2 * size)
    assert "truncated: the header promises a file of" in reason(tmp_path, data)
    put(data, name, place, form, lambda size: size // 4)
    assert "cannot hold samples up to byte" in reason(tmp_path, data)


@pytest.mark.parametrize("name", ["wav", "float.wav", "aiff", "au"])
def test_sizes_that_a_writer_into_a_pipe_puts(tmp_path, name):
    others = {"au": [], "aiff": [0x7FFF_FFFF, 0]}.get(name, [0x7FFF_FFFF, 0x7FFF_F000])
    for unknown in (0xFFFF_FFFF, *others):
        data = whole(name)
        put(data, name, *size_field(name, data), lambda _, size=unknown: size)
        if name != "au":
            put(data, name, 4, "I", lambda _, size=unknown: size)
        if name == "aiff":
            put(data, name, data.index(b"COMM") + 10, "I", lambda _, size=unknown: size)
        assert listen(tmp_path, data) == COUNT


@pytest.mark.parametrize("name", ["wav", "u8.wav", "extensible.wav", "aiff"])
@pytest.mark.parametrize("count", [COUNT, COUNT + 1])
@pytest.mark.parametrize("known", [True, False])
def test_chunks_behind_the_samples(tmp_path, name, count, known):
    """With and without a pad byte behind an odd one, and a whole that does not count them."""
    data = whole(name, 1, count)
    for tail in (
        b"LIST" + struct.pack(order(name) + "I", 5) + b"INFO!" + b"\0",
        b"LIST" + struct.pack(order(name) + "I", 5) + b"INFO!",
        b"id3 " + struct.pack(order(name) + "I", 40_000) + bytes(40_000),
        b"LIST" + struct.pack(order(name) + "I", 5) + b"INFO!" + b"cue " + bytes(4),
    ):
        data += tail
        if known:
            put(data, name, 4, "I", add(len(tail)))
        assert listen(tmp_path, data) == count


def test_a_missing_pad_byte_behind_odd_samples(tmp_path):
    data = whole("u8.wav", 1, COUNT + 1)
    del data[-1]
    assert listen(tmp_path, data + b"LIST" + struct.pack("<I", 4) + b"INFO") == COUNT + 1


def test_a_pad_byte_that_is_no_zero(tmp_path):
    """Some workstations pad with what was in memory; one byte early, a name seems to begin."""
    data = whole("u8.wav", 1, COUNT + 1)
    data[-1] = ord("Q")
    behind = b"LIST" + struct.pack("<I", 6_740) + b"INFO" + bytes([7] * 6_736)
    assert listen(tmp_path, data + behind) == COUNT + 1


def test_the_frame_of_two_channels_for_one(tmp_path):
    """A header that is copied from one Android recorder to the next; its samples are mono."""
    data = whole("wav")
    place = data.index(b"fmt ") + 20
    assert put(data, "wav", place, "H", lambda _: 4) == 2
    assert listen(tmp_path, data) == COUNT
    put(data, "wav", place - 4, "I", lambda speed: 2 * speed)  # that might be two channels
    assert "1 channels of 16 bits cannot make frames of 4 bytes" in reason(tmp_path, data)


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), b"ID3\x04" + bytes(700), bytes(9)])
@pytest.mark.parametrize("name", ["wav", "aiff", "au"])
def test_tags_and_a_few_bytes_behind_the_samples(tmp_path, name, tail):
    assert listen(tmp_path, whole(name) + tail) == COUNT


@pytest.mark.parametrize("tail", [bytes(300), b"LIST\xff\xff\xff\x00" + bytes(300), b"\x80" * 300])
@pytest.mark.parametrize("name", ["wav", "aiff", "au"])
def test_other_bytes_behind_the_samples(tmp_path, name, tail):
    assert f"{len(tail)} bytes follow the end of the samples" in reason(
        tmp_path, whole(name) + tail
    )


def test_a_chain_without_end_costs_no_time(tmp_path):
    assert "no chunks" in reason(tmp_path, whole("wav") + b"junk\0\0\0\0" * 100_000)


def test_chunks_before_the_samples(tmp_path):
    data = whole("wav")
    for size in (4, 5, 30_000):
        chunk = b"PAD " + struct.pack("<I", size) + bytes(size + size % 2)
        longer = data[:36] + chunk + data[36:]
        put(longer, "wav", 4, "I", add(len(chunk)))
        assert listen(tmp_path, longer) == COUNT
        longer[22] = 2
        assert "2 channels" in reason(tmp_path, longer)


def test_what_says_nothing_contradicts_nothing(tmp_path):
    data = whole("wav")
    data[28:32] = bytes(4)  # bytes a second
    assert listen(tmp_path, data) == COUNT
    data[32:34] = bytes(2)  # bytes of a frame
    assert listen(tmp_path, data) == COUNT
    data[4:8] = bytes(4)  # the whole, as when a recorder is switched off
    assert listen(tmp_path, data) == COUNT


def test_floats_of_cool_edit_that_pass_for_24_bits(tmp_path):
    """libsndfile would take each four bytes for more than one sample."""
    data = whole("float.wav")
    place = data.index(b"fmt ") + 8
    struct.pack_into("<H", data, place, 1)
    struct.pack_into("<H", data, place + 14, 24)
    assert "1 channels of 24 bits cannot make frames of 4 bytes" in reason(tmp_path, data)


def test_mp3_in_a_wav_whose_end_libsndfile_guesses(tmp_path):
    file = io.BytesIO()
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, COUNT)
    soundfile.write(file, samples, 16_000, format="MP3", subtype="MPEG_LAYER_III")
    stream = file.getvalue()
    for tag in (b"Xing", b"Info"):  # which know the length
        stream = stream.replace(tag, bytes(4))
    kind = struct.pack("<HHIIHHHHIHHH", 0x55, 1, 16_000, 4_000, 576, 0, 12, 1, 2, 144, 1, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(kind)) + kind
    body += b"fact" + struct.pack("<II", 4, COUNT + 576)
    body += b"data" + struct.pack("<I", len(stream)) + stream
    data = b"RIFF" + struct.pack("<I", len(body)) + body
    with soundfile.SoundFile(io.BytesIO(data)) as sound:
        assert len(sound.read()) < COUNT  # why it is refused
    path = tmp_path / "clip.wav"
    path.write_bytes(data)
    with pytest.raises(AudioError, match=r"^MP3 within WAV, whose end libsndfile guesses; convert"):
        read_audio(path)


def test_real_clips_agree_with_themselves(corpora):
    wavs = sorted((corpora / "emodb" / "wav").glob("*.wav"))
    flacs = sorted((corpora / "ravdess").glob("Actor_*/*.flac"))
    assert wavs
    assert flacs
    for path in (*wavs, *flacs):
        with open_audio(path) as file:
            check_fields(file)
