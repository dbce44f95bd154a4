"""What can be set about finding, balancing and cropping hands."""

from typing import Literal

from pydantic import Field

from simhand.settings import Settings


class DetectionSettings(Settings):
    """Finding hands in frames."""

    detector: Literal["mediapipe"] = Field("mediapipe", description="which detector finds the hands")
    score_threshold: float = Field(
        0.5, gt=0, lt=1, description="the detector's own threshold; MediaPipe's for a palm and for a hand's presence"
    )
    max_overlap: float = Field(
        0.5, ge=0, le=1, description="of two boxes that overlap more (IoU), the one with the lower score is dropped"
    )
    max_hands: int = Field(4, ge=1, description="at most so many hands in one frame")


class BalanceSettings(Settings):
    """As many left as right hands."""

    enabled: bool = Field(True, description="false keeps every hand")
    seed: int = Field(0, ge=0, lt=2**63, description="another seed keeps other hands of the more frequent side")


class CropSettings(Settings):
    """The square around a hand that training sees."""

    scale: float = Field(1.3, gt=0, description="side of the square in units of the box's longer side")
    size: int = Field(224, ge=32, description="pixels of the stored crop's side")
    border: Literal["pad", "clip"] = Field(
        "pad", description="pad: black beyond the frame; clip: cut off and stretched, as the official code does"
    )
    jpeg_quality: int = Field(95, ge=1, le=100, description="quality of the stored crops")
