"""The frames of a clip, block by block: of a whole file, or of the part of it that was asked for.

A part is cut from the file's own frames, before anything is averaged or resampled. So it is, to
the bit, what the same cut saved as a file of its own would be. How its frames are come by is a
matter of cost alone, and depends on what a seek is worth:

    frames of one size (PCM, float)    sought, and nothing else is read
    FLAC                               decoded once to its end, then sought
    lossy and all others               decoded from the beginning: what a decoder gives depends on
                                       what it read before; kept for the next part if there is room

So memory follows the part, and not the file; for the last kind there is a fixed room beside it.
"""

from collections.abc import Iterator
from io import FileIO
from typing import Any

import soundfile

from gensr.features.audio.cut import TO_THE_END, Block, Cut
from gensr.features.audio.errors import AudioError
from gensr.features.audio.kept import KEPT_BYTES, Decoded, Gathered, kept
from gensr.features.audio.once import Once, identity

BLOCK_SAMPLES = 1 << 20
"""Samples (all channels) decoded at a time: memory follows the content, not the header."""

_SOUGHT = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"})
_EVEN = frozenset(
    {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
)
"""Encodings in which every frame has the same number of bytes."""
_held: Once[int] = Once(1_000)
"""Frames that files hold which were decoded to their end."""


class Frames:
    """The frames of a clip; iterate once, then ask.

    Args:
        sound: an open `soundfile.SoundFile`, at its beginning.
        file: the same, as it was opened.
        cut: what is wanted of it.
    """

    def __init__(self, sound: Any, file: FileIO, cut: Cut) -> None:
        self._sound, self._file, self._cut = sound, file, cut
        self.held = 0
        """Frames that the whole file holds, as far as it can be decoded."""
        self.failure: str | None = None
        """libsndfile's word, if decoding broke off."""

    def __iter__(self) -> Iterator[Block]:
        """Yield (n, channels) float32, n > 0: all channels, or the one that was asked for."""
        sound = self._sound
        if self._cut.whole:
            blocks = self._through(TO_THE_END)
        elif sound.format in _SOUGHT and sound.subtype in _EVEN and sound.frames < TO_THE_END:
            self.held = sound.frames
            blocks = self._sought()
        else:
            blocks = self._decoded()
        for first, block in blocks:
            if len(part := self._cut.part(first, block)):
                yield part

    def _through(self, stop: int) -> Iterator[tuple[int, Block]]:
        """Decode from the beginning until the data end, or far enough."""
        size = max(1, BLOCK_SAMPLES // self._sound.channels)
        while self.held < stop:
            block = self._read(size)
            if block is None:
                break
            if self.held % size:  # the block before was short, and was not the last
                seconds = self.held / self._sound.samplerate
                raise AudioError(f"damaged: decoding stumbles after {seconds:.2f} s")
            self.held += len(block)
            yield self.held - len(block), block

    def _sought(self) -> Iterator[tuple[int, Block]]:
        """Go to the part and read it alone; `held` is known."""
        place, stop = self._cut.start, min(self._cut.stop, self.held)
        size = max(1, BLOCK_SAMPLES // self._sound.channels)
        if place < stop:
            self._sound.seek(place)
        while place < stop:
            block = self._read(min(size, stop - place))
            if block is None:
                self.failure = self.failure or f"the data end at frame {place}"
                break
            yield place, block
            place += len(block)

    def _decoded(self) -> Iterator[tuple[int, Block]]:
        """Decode what cannot be sought, or not before it was decoded once."""
        sound, key = self._sound, identity(self._file)
        known = _held.peek(key)
        if sound.format == "FLAC" and known is not None:
            self.held = known
            yield from self._sought()
        elif (
            key is not None
            and 4 * sound.frames * sound.channels <= KEPT_BYTES
            and (sound.format != "FLAC")
        ):
            whole = kept.get(key, self._whole)
            if whole.samples is None:  # longer than it says
                sound.seek(0)
                self.held = 0
                yield from self._through(self._cut.stop)
            else:
                yield 0, whole.samples
            self.held, self.failure = whole.held, whole.failure
        elif known is not None:
            yield from self._through(self._cut.stop)
            self.held = known
        else:
            yield from self._through(TO_THE_END)
            if self.failure is None:
                _held.get(key, lambda: self.held)

    def _whole(self) -> Decoded:
        """Decode all frames, and keep them if there is room."""
        sound, found = self._sound, Gathered()
        found.add_all(block for _, block in self._through(TO_THE_END))
        return Decoded(
            samples=found.all(sound.channels),
            held=self.held,
            rate=sound.samplerate,
            channels=sound.channels,
            failure=self.failure,
        )

    def _read(self, count: int) -> Block | None:
        """Return up to so many of the next frames; None at the end, or where the data break off."""
        try:
            block: Block = self._sound.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            self.failure = error.error_string.rstrip(".") or "damaged data"
            return None
        return block if len(block) else None
