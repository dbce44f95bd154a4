"""A hand's skeleton drawn over its picture."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch

from simhand.reporting.figures import GOLD, GREEN, ORANGE, PURPLE, SKY

_FINGERS = [[0, *range(first, first + 4)] for first in range(1, 21, 4)]  # wrist to tip
_COLOURS = (ORANGE, GOLD, GREEN, SKY, PURPLE)


def draw_skeleton(axes: Axes, keypoints: np.ndarray, window: Patch, colour: str | None = None) -> None:
    """Draws the five fingers, each in its colour; a joint that is NaN leaves a gap.

    Args:
        axes: to draw on.
        keypoints: (21, 2), in units of the axes.
        window: nothing is drawn outside of it.
        colour: of all fingers instead.
    """
    bones = [keypoints[finger] for finger in _FINGERS]
    for colours, thickness in (("white", 2.2), (colour or _COLOURS, 1.2)):  # a light rim sets lines off from the hand
        lines = LineCollection(bones, colors=colours, linewidths=thickness, capstyle="round")
        axes.add_collection(lines, autolim=False)
        lines.set_clip_path(window)  # the axes set their own before
