"""MediaPipe's hand landmarker behind a narrow wall: images in, hands out. Nothing else in simhand knows MediaPipe."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from simhand.errors import WeightsError

os.environ.setdefault("GLOG_minloglevel", "2")  # read when mediapipe is imported: no banners in the logs

import mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


@dataclass(frozen=True)
class LandmarkedHand:
    """One hand in an image.

    `keypoints_px` is float32 (21, 3): x, y in pixels of the image, z in pixels too, relative to the wrist, negative
    towards the camera. `side` is left or right as the person would say; `said` is MediaPipe's own word.
    """

    keypoints_px: np.ndarray
    score: float
    side: str
    said: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2 around the keypoints."""
        x, y = self.keypoints_px[:, 0], self.keypoints_px[:, 1]
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    def moved(self, square: tuple[int, int, int, int], mirrored: bool) -> LandmarkedHand:
        """The same hand in pixels of the image that `square` was cut from (and then mirrored, if so)."""
        keypoints = self.keypoints_px.copy()
        if mirrored:
            keypoints[:, 0] = (square[2] - square[0]) - keypoints[:, 0]
        keypoints[:, :2] += square[:2]
        return replace(self, keypoints_px=keypoints)


class Landmarker:
    """Finds hands and their 21 keypoints in single images, on one thread.

    Args:
        model: a hand_landmarker.task.
        max_hands: at most so many hands in one image.
        score_threshold: for finding a palm, and for the presence of a hand in its square.

    Raises:
        WeightsError: the model file cannot be used.
    """

    def __init__(self, model: Path | str, max_hands: int, score_threshold: float) -> None:
        options = vision.HandLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=Path(model).read_bytes()),
            num_hands=max_hands,
            min_hand_detection_confidence=score_threshold,
            min_hand_presence_confidence=score_threshold,
        )
        try:
            self._landmarker = vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise WeightsError("MediaPipe cannot use a model file", where=model, got=error) from error

    def find(self, rgb: np.ndarray) -> list[LandmarkedHand]:
        """The hands in an image, uint8 (h, w, 3)."""
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        result = self._landmarker.detect(image)
        height, width = rgb.shape[:2]
        scale = np.array([width, height, width], np.float32)  # z comes in units of the width
        return [
            LandmarkedHand(
                np.array([(p.x, p.y, p.z) for p in landmarks], np.float32) * scale,
                sides[0].score,
                _SIDE[sides[0].category_name],
                sides[0].category_name,
            )
            for landmarks, sides in zip(result.hand_landmarks, result.handedness, strict=True)
        ]

    def close(self) -> None:
        """Frees the model."""
        self._landmarker.close()

    def __enter__(self) -> Landmarker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


# The Tasks API of mediapipe 0.10.21 names the hand as it is in an image that is not mirrored.
_SIDE = {"Left": "left", "Right": "right"}
