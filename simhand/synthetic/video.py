"""H.264 video in MP4."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np

from simhand.files import whole_file

_OPTIONS = {"preset": "veryfast", "crf": "20", "g": "20", "threads": "1"}  # one thread: the same bytes everywhere


def write_video(path: Path, frames: Iterable[np.ndarray], fps: int, width: int, height: int) -> None:
    """Writes frames (height, width, 3), uint8 RGB, as a video of a constant frame rate."""
    with whole_file(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def write_truncated(path: Path, whole: Path) -> None:
    """Writes the first half of a video: its index, which MP4 keeps at the end, is lost, so nothing can decode it."""
    content = whole.read_bytes()
    with whole_file(path) as temporary:
        temporary.write_bytes(content[: len(content) // 2])
