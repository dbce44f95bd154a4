"""What a hand detector is: frames in, boxes out. mediapipe_detector.py and hundred_doh/ each hold one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TouchedObject:
    """A detected object that a hand touches; `box` as a hand's."""

    box: Box
    score: float


@dataclass(frozen=True)
class Detection:
    """One detected hand.

    `box` is x1, y1, x2, y2 in pixels of the frame; `side` is left or right as the person would say, `detected_side` the
    detector's own word. Where the detector knows them: `contact`, one of simhand.tables.CONTACT_STATES; `offset`, from
    the hand's centre to the object's (length in units of 1,000 px, direction x, y of length 0.1); and the object.
    """

    box: Box
    score: float
    side: str
    detected_side: str
    contact: str | None = None
    offset: tuple[float, float, float] | None = None
    touched: TouchedObject | None = None


class HandDetector(Protocol):
    """Finds hands in frames."""

    name: str  # as the table of hands calls it
    at_once: int  # how many frames it likes to be given

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """The hands in each frame, uint8 (h, w, 3) RGB, best score first; frames may differ in size."""
