"""Clips to vectors: windows averaged by frames, groups in order, errors that name the clip."""

import errno
import hashlib
import os
import threading
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from gensr.features.audio.errors import AudioError
from gensr.features.encoders import Encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoding.encode import Clips, encode_clips
from gensr.features.encoding.windows import Batching, cut
from gensr.features.hearing.decode import content_address, read_audio
from gensr.features.store.errors import StoreError


class Levels(Encoder):
    """The mean of all samples that frames of 400, 320 apart, begin at; and how many clips."""

    name = "levels"
    layers = ("mean", "x1")
    width = 1
    equal_lengths = False

    def __init__(self):
        self.batches = []

    def _encode(self, waveforms):
        self.batches.append([len(wave) for wave in waveforms])
        means = [wave[: 320 * self.frames(len(wave)) : 320].mean() for wave in waveforms]
        return np.array(means, np.float32)[:, None, None] * np.ones((1, 2, 1), np.float32)

    def provenance(self):
        return {}


def write(root, lengths):
    rng = np.random.default_rng(0)
    waves = [rng.normal(0, 0.1, n).astype(np.float32) for n in lengths]
    hashes, audios = [], []
    for number, wave in enumerate(waves):
        path = root / f"{number}.wav"
        soundfile.write(path, wave, 16_000, subtype="FLOAT")
        hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
        audios.append(content_address(wave))
    paths = tuple(f"{number}.wav" for number in range(len(lengths)))
    clips = Clips(
        root=root,
        paths=paths,
        samples=tuple(lengths),
        file_sha256=tuple(hashes),
        audio_sha256=tuple(audios),
    )
    return clips, waves


def part(clips, rows):
    return Clips(
        root=clips.root,
        paths=tuple(clips.paths[row] for row in rows),
        samples=tuple(clips.samples[row] for row in rows),
        file_sha256=tuple(clips.file_sha256[row] for row in rows),
        audio_sha256=tuple(clips.audio_sha256[row] for row in rows),
    )


BATCHING = Batching(batch_samples=9_000, longest=4_000, equal_lengths=False)


def test_groups_in_order_with_windows_averaged_by_frames(tmp_path):
    clips, waves = write(tmp_path, [5_000, 4_000, 12_001, 700, 4_001, 9_000])
    groups = [part(clips, [0, 1]), part(clips, []), part(clips, [2, 3, 4, 5]), part(clips, [])]
    encoder, told = Levels(), []
    found = list(encode_clips(groups, encoder, BATCHING, lambda *a: told.append(a)))
    assert [len(vectors) for vectors in found] == [2, 0, 4, 0]
    expected = []
    for wave in waves:
        parts = [wave[start:stop] for start, stop in cut(len(wave), 4_000)]
        heard = [part[: 320 * encoder.frames(len(part)) : 320] for part in parts]
        expected.append(np.concatenate(heard).mean())
    np.testing.assert_allclose(np.concatenate(found)[:, 0, 0], expected, rtol=1e-5)
    assert sum(map(sum, encoder.batches)) == sum(map(len, waves))
    assert max(max(batch) * len(batch) for batch in encoder.batches) <= 9_000
    clips_told, seconds_told = map(sum, zip(*told, strict=True))
    assert clips_told == 6
    assert seconds_told == pytest.approx(sum(map(len, waves)) / 16_000)


def test_clips_that_are_cut_are_in_memory_a_few_at_a_time(tmp_path, monkeypatch):
    """Each is decoded once, and gone with its last window, however many a shard has."""
    clips, _ = write(tmp_path, [7_000 + 10 * number for number in range(30)])
    read, decoded = Clips.read, []

    def counted(self, clip):
        samples = read(self, clip)
        decoded.append(weakref.ref(samples))
        return samples

    class Counting(Levels):
        most = 0

        def _encode(self, waveforms):
            self.most = max(self.most, sum(ref() is not None for ref in decoded))
            return super()._encode(waveforms)

    monkeypatch.setattr(Clips, "read", counted)
    encoder = Counting()
    (found,) = encode_clips([clips], encoder, BATCHING)
    assert found.shape == (30, 2, 1)
    assert len(decoded) == 30
    assert encoder.most <= 12  # three runs of two clips, and the readers' own


def test_a_file_that_changed_is_not_encoded(tmp_path):
    clips, _ = write(tmp_path, [1_000, 1_000, 1_000])
    soundfile.write(tmp_path / "1.wav", np.linspace(-0.1, 0.1, 1_000), 16_000, subtype="FLOAT")
    with pytest.raises(StoreError, match=r"1\.wav changed while it was read"):
        list(encode_clips([clips], Levels(), BATCHING))


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO, errno.EMFILE])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_disk_that_falters_is_asked_again(tmp_path, monkeypatch, code, times):
    """Twice, with pauses; then the error has its true name."""
    clips, waves = write(tmp_path, [1_000])
    asked, pauses = [], []

    def falters(path, file_sha256):
        asked.append(path)
        if len(asked) <= times:
            error = OSError(code, os.strerror(code))
            raise AudioError(error.strerror.lower()) from error
        return read_audio(path, file_sha256=file_sha256)

    monkeypatch.setattr("gensr.features.encoding.encode.read_again", falters)
    clock = SimpleNamespace(sleep=pauses.append)
    monkeypatch.setattr("gensr.features.encoding.encode.time", clock)
    if times < 3:
        np.testing.assert_array_equal(clips.read(0), waves[0])
        assert len(asked) == times + 1
    else:
        said = f"0.wav cannot be read: {os.strerror(code).lower()}; run the same call again"
        with pytest.raises(StoreError, match=f"^{said}$"):
            clips.read(0)
        assert len(asked) == 3
    assert len(pauses) == min(times, 2)
    assert all(0 < pause <= 2 for pause in pauses)


def test_a_changed_file_is_not_asked_again(tmp_path, monkeypatch):
    clips, _ = write(tmp_path, [1_000])
    (tmp_path / "0.wav").write_bytes(b"")
    monkeypatch.setattr("gensr.features.encoding.encode.time", None)
    with pytest.raises(StoreError, match="changed while it was read: empty file"):
        clips.read(0)


def test_a_file_that_is_decoded_otherwise_is_not_encoded(tmp_path):
    clips, _ = write(tmp_path, [1_000, 1_000])
    other = replace(clips, audio_sha256=(clips.audio_sha256[0], "0" * 64))
    with pytest.raises(StoreError, match=r"1\.wav is decoded otherwise than when it was heard"):
        list(encode_clips([other], Levels(), BATCHING))


def test_a_clip_without_finite_vectors_is_named(tmp_path):
    class Overflowing(Levels):
        def _encode(self, waveforms):
            vectors = super()._encode(waveforms)
            for vector, wave in zip(vectors, waveforms, strict=True):
                vector[0, 0] = np.inf if len(wave) == 1_003 else 0
            return vectors

    clips, _ = write(tmp_path, [1_000, 1_001, 1_002, 1_003, 1_004])
    with pytest.raises(EncoderError, match=r"^3\.wav: .*not finite.*bfloat16"):
        list(encode_clips([clips], Overflowing(), BATCHING))


def test_what_is_read_ahead_is_bounded(tmp_path, monkeypatch):
    """However many groups there are, no more audio waits than a few batches."""
    clips, _ = write(tmp_path, [1_000])
    many = part(clips, [0] * 9)  # one batch
    reading, most = 0, 0
    lock = threading.Lock()
    read = Clips.read

    def counted(self, clip):
        nonlocal reading, most
        with lock:
            reading += 1
            most = max(most, reading)
        return read(self, clip)

    class Slow(Levels):
        def _encode(self, waveforms):
            nonlocal reading
            with lock:
                reading -= len(waveforms)
            return super()._encode(waveforms)

    monkeypatch.setattr(Clips, "read", counted)
    groups = (many for _ in range(50))
    assert sum(len(vectors) for vectors in encode_clips(groups, Slow(), BATCHING)) == 450
    assert most <= 9 * 8


def test_the_next_batch_is_read_while_one_is_encoded(tmp_path, monkeypatch):
    """Here the encoder goes on only when it is: read one after the other, they would be stuck."""
    clips, _ = write(tmp_path, [1_000] * 3)
    read = [threading.Event() for _ in range(3)]
    before = Clips.read

    def noted(self, clip):
        read[int(self.paths[clip][0])].set()
        return before(self, clip)

    class Waits(Levels):
        def _encode(self, waveforms):
            following = len(self.batches) + 1
            assert following == len(read) or read[following].wait(60)
            return super()._encode(waveforms)

    monkeypatch.setattr(Clips, "read", noted)
    groups = [part(clips, [row]) for row in range(3)]
    assert [len(vectors) for vectors in encode_clips(groups, Waits(), BATCHING)] == [1, 1, 1]


def test_vectors_that_were_handed_out_are_let_go_of(tmp_path):
    """An extraction's memory is that of a few shards, also when all is read and nothing waits."""
    clips, _ = write(tmp_path, [1_000])
    groups = (part(clips, [0]) for _ in range(40))
    handed = []
    for vectors in encode_clips(groups, Levels(), BATCHING):
        handed.append(weakref.ref(vectors))
        del vectors
        assert sum(ref() is not None for ref in handed) <= 2
    assert len(handed) == 40


def test_stopping_early_stops_the_readers(tmp_path):
    clips, _ = write(tmp_path, [1_000])
    before = threading.active_count()
    encoded = encode_clips((part(clips, [0]) for _ in range(10_000)), Levels(), BATCHING)
    next(encoded)
    encoded.close()
    assert threading.active_count() <= before
