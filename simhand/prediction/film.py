"""Drawn frames as H.264 video in MP4, each shown when its original is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from simhand.files import whole_file

# One thread: the same bytes everywhere. No frame refers to a later one: then a file lasts as long as its frames say.
_OPTIONS = {"preset": "veryfast", "crf": "20", "threads": "1", "bf": "0"}
_TICKS = 90_000  # a second


class Film:
    """Takes frames of one size, in the order of their times."""

    def __init__(self, container: OutputContainer) -> None:
        self._container = container
        self._stream: VideoStream | None = None
        self._starts: list[int] = []  # of the frames, in ticks

    def add(self, rgb: np.ndarray, timestamp_s: float) -> None:
        """Adds a frame, uint8 (h, w, 3), h and w even, to be shown from `timestamp_s` on."""
        if self._stream is None:
            self._stream = self._open(*rgb.shape[:2])
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        self._starts.append(max(round(timestamp_s * _TICKS), self._starts[-1] + 1 if self._starts else 0))
        frame.pts, frame.time_base = self._starts[-1], Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Ends the video; the last frame is shown as long as the one before."""
        if self._stream is None:
            return
        packets = self._stream.encode()
        shown = self._starts[-1] - self._starts[-2] if len(self._starts) > 1 else _TICKS // 30
        for packet in packets:
            if packet.pts == self._starts[-1]:
                packet.duration = shown  # all others are shown until the next
        self._container.mux(packets)

    def _open(self, height: int, width: int) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=30, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream


@contextmanager
def film(path: Path) -> Iterator[Film]:
    """Opens a video for writing; it appears when the block ends well."""
    with whole_file(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        opened = Film(container)
        yield opened
        opened.finish()
