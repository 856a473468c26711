"""What every encoder promises of the clips it is given."""

import json
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gensr.features.encoders import BOUNDS, Encoder
from gensr.features.encoders.errors import EncoderError
from gensr.features.hearing.decode import MIN_SAMPLES
from support.sounds import noise


class EncoderContract:
    """Inherit this, and give the fixture `encoder`."""

    bound: float | None = None
    """What batch-mates may change; None: as much as the encoder's dtype allows."""

    @pytest.fixture
    def encoder(self) -> Encoder:
        """The hook: an encoder that is ready."""
        raise NotImplementedError

    def lengths(self, encoder: Encoder) -> tuple[int, ...]:
        """Lengths in samples, from the shortest there is, that may stand in one batch."""
        if encoder.equal_lengths:
            return (5_000,) * 5
        lengths = (5_000, MIN_SAMPLES, 16_001, 8_000, MIN_SAMPLES + 1)
        return tuple(min(n, encoder.max_samples or n) for n in lengths)

    def alone(self, encoder: Encoder, clips: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        return np.concatenate([encoder.encode([clip]) for clip in clips])

    def test_it_says_what_it_gives(self, encoder: Encoder) -> None:
        """One finite float32 vector a layer and clip, in layers whose names differ."""
        clips = noise(*self.lengths(encoder))
        vectors = encoder.encode(clips)
        assert vectors.shape == (len(clips), len(encoder.layers), encoder.width)
        assert vectors.dtype == np.float32
        assert np.isfinite(vectors).all()
        assert len(set(encoder.layers)) == len(encoder.layers) > 0

    def test_batch_mates_and_order_change_next_to_nothing(self, encoder: Encoder) -> None:
        clips = noise(*self.lengths(encoder), seed=1)
        alone = self.alone(encoder, clips)
        bound = BOUNDS[encoder.dtype] if self.bound is None else self.bound
        for order in (range(len(clips)), range(len(clips))[::-1], [2, 0, 3]):
            found, expected = encoder.encode([clips[i] for i in order]), alone[list(order)]
            distance = np.linalg.norm(found - expected, axis=-1)
            assert (distance <= bound * np.linalg.norm(expected, axis=-1)).all()

    def test_the_same_batch_gives_the_same_bytes(self, encoder: Encoder) -> None:
        clips = noise(*self.lengths(encoder), seed=2)
        np.testing.assert_array_equal(encoder.encode(clips), encoder.encode(clips))

    def test_other_clips_give_other_vectors(self, encoder: Encoder) -> None:
        one, other = encoder.encode(noise(6_000, 6_000, seed=3))
        assert (one != other).any(axis=-1).all()

    def test_samples_are_read_and_never_written(self, encoder: Encoder) -> None:
        (clip,) = noise(6_000)
        kept = clip.copy()
        clip.setflags(write=False)
        encoder.encode([clip])
        np.testing.assert_array_equal(clip, kept)

    def test_a_stream_is_its_batches_in_order(self, encoder: Encoder) -> None:
        batches = [noise(5_000 + number, seed=number) for number in range(4)]
        found = list(encoder.stream(batches))
        assert len(found) == len(batches)
        for vectors, batch in zip(found, batches, strict=True):
            np.testing.assert_array_equal(vectors, encoder.encode(batch))

    def test_no_clip_is_no_vector(self, encoder: Encoder) -> None:
        assert encoder.encode([]).shape == (0, len(encoder.layers), encoder.width)

    def test_the_shortest_is_taken_and_a_shorter_one_refused(self, encoder: Encoder) -> None:
        assert np.isfinite(encoder.encode(noise(MIN_SAMPLES))).all()
        with pytest.raises(EncoderError, match=f"{MIN_SAMPLES} samples, not {MIN_SAMPLES - 1}"):
            encoder.encode(noise(MIN_SAMPLES - 1))

    def test_the_longest_is_taken_and_a_longer_one_refused(self, encoder: Encoder) -> None:
        most = encoder.max_samples
        if most is None:
            assert np.isfinite(encoder.encode(noise(160_000))).all()
            return
        assert np.isfinite(encoder.encode(noise(most))).all()
        with pytest.raises(EncoderError, match=f"{most} samples at once, not {most + 1}"):
            encoder.encode(noise(most + 1))

    def test_unequal_lengths_are_refused_where_it_says_so(self, encoder: Encoder) -> None:
        clips = noise(5_000, 5_001)
        if encoder.equal_lengths:
            with pytest.raises(EncoderError, match="one length"):
                encoder.encode(clips)
        else:
            assert len(encoder.encode(clips)) == 2

    def test_what_is_not_finite_is_an_error_that_names_the_clip(self, encoder: Encoder) -> None:
        clips = noise(5_000, 5_000)
        clips[1][3] = np.nan
        with pytest.raises(EncoderError, match="not finite") as told:
            encoder.encode(clips)
        assert getattr(told.value, "clip", None) == 1

    def test_frames_grow_with_the_clip(self, encoder: Encoder) -> None:
        most = min(encoder.max_samples or 32_000, 32_000)
        counts = [encoder.frames(n) for n in range(MIN_SAMPLES, most + 1, 100)]
        assert counts == sorted(counts)
        assert 1 <= counts[0] < counts[-1]

    def test_provenance_is_json_and_knows_no_machine(self, encoder: Encoder) -> None:
        """The same each time; not the device, no path of this machine."""
        provenance = encoder.provenance()
        assert json.loads(json.dumps(provenance)) == provenance == encoder.provenance()
        assert provenance["name"] == encoder.name
        texts = _texts(provenance)
        assert not [text for text in texts if PurePath(text).is_absolute()]
        assert not [text for text in texts if str(Path.cwd()) in text or str(Path.home()) in text]
        assert encoder.device not in texts


def _texts(plain: Any) -> list[str]:
    """Every text in plain values, the keys of tables among them."""
    if isinstance(plain, dict):
        return [text for pair in plain.items() for part in pair for text in _texts(part)]
    if isinstance(plain, list):
        return [text for part in plain for text in _texts(part)]
    return [plain] if isinstance(plain, str) else []
