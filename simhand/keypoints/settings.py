"""What can be set about the 21 keypoints."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from simhand.settings import Settings


class ModelSettings(Settings):
    """Which file MediaPipe's hand landmarker is."""

    model: Path | None = Field(
        None, description="a hand_landmarker.task of your own; by default made from the installed mediapipe package"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="what your own model file must hash to; checked before it is used"
    )


class LandmarkSettings(Settings):
    """How keypoints are looked for."""

    square_scales: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (2.6, 2.0, 1.3),
        min_length=1,
        description="squares to look in, in units of the box's longer side, one after another until a hand is found",
    )
    score_threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="MediaPipe's own thresholds for a palm and for a hand's presence; less counts as missed",
    )
    min_overlap: float = Field(
        0.1, ge=0, le=1, description="the found hand must overlap the detected box so much (IoU)"
    )


class KeypointSettings(ModelSettings, LandmarkSettings):
    """MediaPipe's hand landmarker, run on squares wider than the training crop: it needs room around a hand."""
