"""Drawn frames as H.264 video in MP4, each shown when its original is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from simhand.files import whole_file

_OPTIONS = {"preset": "veryfast", "crf": "20", "threads": "1"}  # one thread: the same bytes everywhere
_TICKS = 90_000  # a second


class Film:
    """Takes frames of one size, in the order of their times."""

    def __init__(self, container: av.container.OutputContainer) -> None:
        self._container = container
        self._stream: av.VideoStream | None = None
        self._last = -1

    def add(self, rgb: np.ndarray, timestamp_s: float) -> None:
        """Adds a frame, uint8 (h, w, 3), h and w even, to be shown from `timestamp_s` on."""
        if self._stream is None:
            self._stream = self._open(*rgb.shape[:2])
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
        self._last = max(round(timestamp_s * _TICKS), self._last + 1)
        frame.pts, frame.time_base = self._last, Fraction(1, _TICKS)
        self._container.mux(self._stream.encode(frame))

    def _open(self, height: int, width: int) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=30, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream

    def finish(self) -> None:
        """Ends the video; to be called when all frames are there."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())


@contextmanager
def film(path: Path) -> Iterator[Film]:
    """Opens a video for writing; it appears when the block ends well."""
    with whole_file(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        opened = Film(container)
        yield opened
        opened.finish()
