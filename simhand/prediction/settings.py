"""What can be set about predicting hands in images and videos of unknown cameras."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simhand.hands.settings import MediaPipeSettings
from simhand.settings import Settings


class PredictionSettings(Settings):
    """Predicting hands. No image tells their size or its own camera, so both are assumed."""

    bone_mm: float = Field(
        100.0,
        gt=0,
        description="assumed length from the wrist to the middle finger's base, which all lengths are scaled with; "
        "between 87 and 119 in nine of ten of DexYCB's poses",
    )
    focal_px: float | None = Field(
        None, gt=0, description="assumed focal length; default: the longer side of the image, 53 degrees of view"
    )
    square: float | None = Field(
        None,
        gt=0,
        description="side of the square that the model sees, in units of the longer side of the hand's box; default: "
        "that of the model's training",
    )
    fps: float | None = Field(None, gt=0, description="frames taken from each second of a video; default: all")
    detection: MediaPipeSettings = MediaPipeSettings()
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
