"""What a hand detector is: frames in, boxes out. MediaPipe works at once; others take their place in DETECTORS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from simhand.hands.landmarker import Landmarker
from simhand.hands.settings import DetectionSettings


@dataclass(frozen=True)
class Detection:
    """One detected hand.

    `box` is x1, y1, x2, y2 in pixels of the frame; `side` is left or right as the person would say, `detected_side` the
    detector's own word; `contact` is the contact state, where the detector knows it.
    """

    box: tuple[float, float, float, float]
    score: float
    side: str
    detected_side: str
    contact: str | None = None


class HandDetector(Protocol):
    """Finds hands in frames."""

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """The hands in each frame, uint8 (h, w, 3) RGB; frames may differ in size."""


class MediaPipeDetector:
    """Boxes around MediaPipe's keypoints: tighter than those of a box detector."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """See HandDetector."""
        return [
            [Detection(hand.box, hand.score, hand.side, hand.said) for hand in self._landmarker.find(frame)]
            for frame in frames
        ]

    def __enter__(self) -> MediaPipeDetector:
        return self

    def __exit__(self, *exception: object) -> None:
        self._landmarker.close()


def _mediapipe(settings: DetectionSettings, model: Path | str) -> MediaPipeDetector:
    return MediaPipeDetector(Landmarker(model, settings.max_hands, settings.score_threshold))


DETECTORS: dict[str, Callable[[DetectionSettings, Path | str], AbstractContextManager[HandDetector]]] = {
    "mediapipe": _mediapipe
}
