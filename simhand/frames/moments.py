"""Which frames are on display at 0, 1/fps, 2/fps, ... seconds after a video's first frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

# Containers round times to milliseconds: a frame due at 1 s may say 1.0005. At 29.97 frames a second one says 1.001: no
# whole millisecond, then, where the last digit of a float would decide.
TOLERANCE_S = 0.7e-3


def on_display(frames: Iterable[tuple[float, Item]], last_s: float, fps: float) -> Iterator[tuple[float, Item]]:
    """The frames on display at the times of the samples, each once, as soon as their successor is known.

    Args:
        frames: (start in seconds, anything), starts ascending; not more than one frame is held back.
        last_s: how long the last frame is shown.
        fps: samples a second.
    """
    previous: tuple[float, Item] | None = None
    first_s, sample = 0.0, 0  # `sample` counts the samples that were due before `previous` was shown
    for frame in frames:
        if previous is None:
            first_s = frame[0]
        elif first_s + sample / fps + TOLERANCE_S < frame[0]:
            yield previous
            sample = _first_sample_from(frame[0], first_s, sample, fps)
        previous = frame
    if previous and (sample == 0 or first_s + sample / fps + 2 * TOLERANCE_S < previous[0] + last_s):  # both rounded
        yield previous


def _first_sample_from(start_s: float, first_s: float, sample: int, fps: float) -> int:
    """The first sample, not before `sample`, that is due once a frame that starts at `start_s` is on display."""
    sample = max(sample, math.floor((start_s - TOLERANCE_S - first_s) * fps) - 1)
    while first_s + sample / fps + TOLERANCE_S < start_s:
        sample += 1
    return sample


def sample_indices(starts_s: Sequence[float], end_s: float, fps: float) -> list[int]:
    """The positions of the frames to take from a video whose frames start at `starts_s` (ascending, at least one).

    Args:
        starts_s: when each frame appears.
        end_s: when the last frame ends.
        fps: samples a second. Frames are not repeated where the video is slower than that.
    """
    frames = ((float(start_s), i) for i, start_s in enumerate(starts_s))
    return [i for _, i in on_display(frames, end_s - float(starts_s[-1]), fps)]
