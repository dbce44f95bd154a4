"""MediaPipe as a hand detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simhand.hands.boxes import iou
from simhand.hands.detector import Detection
from simhand.hands.landmarker import Landmarker
from simhand.hands.settings import MediaPipeSettings


class MediaPipeDetector:
    """Boxes around MediaPipe's keypoints: tighter than those of a box detector.

    Args:
        settings: what counts as a hand.
        model: a hand_landmarker.task.

    Raises:
        WeightsError: the model file cannot be used.
    """

    name = "mediapipe"
    at_once = 8  # none is faster with others, but all are decoded before

    def __init__(self, settings: MediaPipeSettings, model: Path | str) -> None:
        self._max_overlap = settings.max_overlap
        self._landmarker = Landmarker(model, settings.max_hands, settings.score_threshold)

    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """See HandDetector."""
        return [suppress_overlaps(self._hands_in(frame), self._max_overlap) for frame in frames]

    def _hands_in(self, frame: np.ndarray) -> list[Detection]:
        return [Detection(hand.box, hand.score, hand.side, hand.said) for hand in self._landmarker.find(frame)]

    def __enter__(self) -> MediaPipeDetector:
        return self

    def __exit__(self, *exception: object) -> None:
        self._landmarker.close()


def suppress_overlaps(detections: Sequence[Detection], max_overlap: float) -> list[Detection]:
    """The detections, best score first, without those that overlap a better one by more than `max_overlap` (IoU)."""
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        if all(iou(detection.box, other.box) <= max_overlap for other in kept):
            kept.append(detection)
    return kept
