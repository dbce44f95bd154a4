"""What can be set about finding, balancing and cropping hands."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from simhand.settings import Settings

ContactState = Literal["none", "self", "other", "portable", "stationary"]  # simhand.tables.CONTACT_STATES


class _CommonSettings(Settings):
    score_threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="hands with a lower score are none; MediaPipe's threshold for a palm and for a hand's presence",
    )
    max_hands: int = Field(4, ge=1, description="at most so many hands in one frame, the best")


class MediaPipeSettings(_CommonSettings):
    """What MediaPipe finds."""

    max_overlap: float = Field(
        0.5,
        ge=0,
        le=1,
        description="mediapipe: of two boxes that overlap by more (IoU), the one with the lower score is dropped",
    )


class HundredDohSettings(_CommonSettings):
    """What the 100DOH detector finds."""

    nms_threshold: float = Field(
        0.3,
        gt=0,
        le=1,
        description="hundred_doh: of two hands, or of two objects, that overlap by this or more (IoU), the one with "
        "the lower score is dropped",
    )
    object_threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="hundred_doh: objects with a lower score are none; they are told of hands in contact",
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto",
        description="hundred_doh: of the network (autocast); arithmetic of boxes is float32 always. auto: float16 on a "
        "GPU, float32 on a CPU. float32 is meant in full, without TF32",
    )


class HundredDohExecution(Settings):
    """How the 100DOH detector is run; without effect on what it finds, but for rounding."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="hundred_doh: auto: a GPU where there is one")
    batch_size: int = Field(8, ge=1, description="hundred_doh: frames of one size that a GPU is given at once")


class _DetectorSettings(Settings):
    detector: Literal["mediapipe", "hundred_doh"] = Field(
        "mediapipe",
        description="which detector finds the hands; hundred_doh is the paper's, and needs its authors' weights",
    )
    weights: Path | None = Field(
        None, description="hundred_doh: the authors' file, faster_rcnn_1_8_132028.pth or faster_rcnn_1_8_89999.pth"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-fA-F]{64}$", description="hundred_doh: what that file must hash to; empty: not checked"
    )


class DetectionSettings(HundredDohExecution, HundredDohSettings, MediaPipeSettings, _DetectorSettings):
    """Finding hands in frames. Keys whose meaning begins with a detector's name are read by that one alone."""


class SelectionSettings(Settings):
    """The others stay in the table of stage 3: another choice detects nothing anew. Annotated hands are all wanted."""

    contact: tuple[ContactState, ...] = Field(
        (),
        description="only hands that touch this: none (nothing), self (the person's own body), other (another person), "
        "portable or stationary (an object); hundred_doh tells it. Empty: all hands, whether it is known or not",
    )
    min_score: float = Field(
        0.0,
        ge=0,
        le=1,
        description="hands with a lower score of detection are left out; MediaPipe tells none but how sure it is of "
        "the side",
    )
    min_box_px: float = Field(
        0.0, ge=0, description="hands whose box is smaller, by its longer side, are left out; pixels of the frame"
    )
    max_box_px: float | None = Field(None, gt=0, description="hands whose box is larger are left out; empty: none")

    @field_validator("contact", mode="before")
    @classmethod
    def _one_or_none(cls, states: Any) -> Any:
        """YAML has nothing for an empty value, and a word for a single one."""
        return (states,) if isinstance(states, str) else () if states is None else states

    @field_validator("contact")
    @classmethod
    def _each_once(cls, states: tuple[ContactState, ...]) -> tuple[ContactState, ...]:
        if len(set(states)) < len(states):
            raise ValueError("each may be named only once")
        return states

    @model_validator(mode="after")
    def _some_box_fits(self) -> Self:
        if self.max_box_px is not None and self.min_box_px > self.max_box_px:
            raise ValueError(f"min_box_px {self.min_box_px:g} is larger than max_box_px {self.max_box_px:g}")
        return self


class BalanceSettings(Settings):
    """As many left as right hands."""

    enabled: bool = Field(True, description="false keeps every hand that is wanted")
    seed: int = Field(0, ge=0, lt=2**63, description="another seed keeps other hands of the more frequent side")


class CropSettings(Settings):
    """The square around a hand that training sees."""

    scale: float = Field(1.3, gt=0, description="side of the square in units of the box's longer side")
    size: int = Field(224, ge=32, description="pixels of the stored crop's side")
    border: Literal["pad", "clip"] = Field(
        "pad", description="pad: black beyond the frame; clip: cut off and stretched, as the official code does"
    )
    jpeg_quality: int = Field(95, ge=1, le=100, description="quality of the stored crops")
