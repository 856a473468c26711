"""Media files, made by PyAV itself; tests that need it skip where it is not installed."""

from fractions import Fraction

import numpy as np
import pytest


def voice(seconds=1.0, rate=16_000, hertz=300.0):
    time = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * (hertz + 50 * time) * time)


@pytest.fixture
def make(tmp_path):
    """Write a file: `make(name, codec)`, with a picture, several tracks, ... if asked."""
    av = pytest.importorskip("av")

    def picture(container, codec, seconds):
        stream = container.add_stream(codec, rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(round(10 * seconds)):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    def sound(container, stream, samples, late):
        rate = stream.rate
        stream.codec_context.open(strict=False)
        whole = (samples * 32_767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=stream.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        form = stream.codec_context.format.name
        fifo = av.AudioFifo()
        for part in av.AudioResampler(form, stream.layout, rate).resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        place = round(late * rate)
        while (part := fifo.read(size) or fifo.read(0, partial=True)) is not None:
            part.pts, part.time_base = place, Fraction(1, rate)
            place += part.samples
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))

    def write(
        name,
        codec,
        rate=16_000,
        seconds=1.0,
        channels=1,
        video="",
        tracks=1,
        form=None,
        samples=None,
        late=0.0,
    ):
        if samples is None:
            samples = np.tile(voice(seconds, rate)[:, None], (1, channels))
        with av.open(str(tmp_path / name), "w", format=form) as container:
            streams = []
            for _ in range(tracks):
                stream = container.add_stream(codec, rate=rate)
                stream.layout = {1: "mono", 2: "stereo"}[channels]
                if codec == "wmav2":
                    stream.bit_rate = 64_000
                streams.append(stream)
            if video:
                picture(container, video, seconds + late)
            for stream in streams:
                sound(container, stream, samples, late)
        return tmp_path / name

    write.folder, write.whole = tmp_path, {}
    return write
