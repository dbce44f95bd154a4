"""A video's frames one after another, as a player shows them: in constant memory, nothing written on the way.

Sampling for the chain (`simhand.frames.sampling`) decodes in a process that can be killed; this is for a user's own
files, in the process that shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from PIL import Image

from simhand.errors import VideoError
from simhand.frames.moments import on_display, sample_indices
from simhand.frames.packets import scan
from simhand.frames.pictures import orientation
from simhand.frames.pyav_decoder import Damage, UnsuitedError, all_frames, ascending, counted

Decoded = tuple[int, av.VideoFrame]  # its position in the video


class ShownFrame(NamedTuple):
    """One frame of a video."""

    frame_index: int
    timestamp_s: float  # after the first frame
    rgb: np.ndarray  # uint8 (h, w, 3), upright


class Playback:
    """The frames of a video, in the order of display.

    Args:
        path: of the video.
        fps: the frames on display at 0, 1/fps, 2/fps, ... seconds; None: all.

    Raises:
        VideoError: no video, or nothing of it can be read.
    """

    def __init__(self, path: Path, fps: float | None = None) -> None:
        self.path = path
        self.fps = fps
        try:
            if not path.is_file():
                raise FileNotFoundError("no such file")
            self._table = scan(str(path))
        except (OSError, ValueError) as error:  # av.FFmpegError is one or the other
            raise VideoError("cannot read a video", where=path, got=_told(error)) from error
        self._damage = Damage()
        self._turned_back = False

    def __len__(self) -> int:
        """How many frames there are to come, if none is damaged."""
        starts_s, end_s = self._table.starts_s, self._table.duration_s
        return len(starts_s) if self.fps is None or not starts_s else len(sample_indices(starts_s, end_s, self.fps))

    @property
    def damage(self) -> str:
        """What could not be decoded so far; empty if nothing."""
        turned_back = "its time jumps back: what follows is left out" if self._turned_back else ""
        return turned_back or str(self._damage) or self._table.why_incomplete()

    def __iter__(self) -> Iterator[ShownFrame]:
        pictures = _Pictures()
        try:
            for start_s, (index, frame) in self._wanted():
                yield ShownFrame(index, start_s, pictures.rgb(frame))
        except UnsuitedError:
            self._turned_back = True
        except av.FFmpegError as error:
            raise VideoError("cannot decode a video", where=self.path, got=_told(error)) from error

    def _wanted(self) -> Iterator[tuple[float, Decoded]]:
        frames = self._with_times()
        return frames if self.fps is None else on_display(frames, self._last_s(), self.fps)

    def _with_times(self) -> Iterator[tuple[float, Decoded]]:
        """All frames, with their times if their packets tell them, else counted."""
        table = self._table
        frames = all_frames(str(self.path), table, self._damage)
        if not table.timed or not table.order:
            return counted(frames, table)
        timed = ascending(frames, table, self._damage)
        return ((start_s, (table.frame_index(frame.pts or 0), frame)) for start_s, frame in timed)

    def _last_s(self) -> float:
        """How long the last frame is shown."""
        table = self._table
        if not table.timed or not table.order:
            return 1 / table.rate
        return table.duration_s - table.seconds(table.order[-1])


class _Pictures:
    """Decoded frames of one video as upright pictures; only the first is asked how it is to be turned."""

    def __init__(self) -> None:
        self._turn: Image.Transpose | None = None
        self._asked = False
        self._reformatter = VideoReformatter()

    def rgb(self, frame: av.VideoFrame) -> np.ndarray:
        if not self._asked:
            self._turn, self._asked = orientation(frame), True
        rgb = self._reformatter.reformat(frame, format="rgb24").to_ndarray()
        return rgb if self._turn is None else np.array(Image.fromarray(rgb).transpose(self._turn))


def _told(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
