"""What can be set about the embedded demo."""

from typing import Literal

from pydantic import Field, NonNegativeInt, model_validator

from simhand.settings import Settings


class DemoSettings(Settings):
    """How much is rendered; the same settings give the same files."""

    videos: int = Field(24, ge=1, description="videos with hands, each of its own person")
    seconds: tuple[float, float] = Field((20.0, 40.0), description="the shortest and the longest video")
    fps: int = Field(10, ge=1, description="frames in a second of video")
    width: int = Field(384, ge=96, multiple_of=2, description="pixels of a frame's width")
    height: int = Field(288, ge=96, multiple_of=2, description="pixels of a frame's height")
    training: int = Field(720, ge=1, description="labelled images for training, of persons that no video shows")
    evaluation: int = Field(60, ge=1, description="labelled images for evaluation, of other persons again")
    backgrounds: Literal[1, 4] = Field(1, description="versions of each training image; FreiHAND has four")
    dexycb: tuple[NonNegativeInt, NonNegativeInt] = Field(
        (12, 4), description="recordings in DexYCB's layout, ten hands each, for training and for evaluation"
    )
    assemblyhands: tuple[NonNegativeInt, NonNegativeInt] = Field(
        (12, 4), description="recordings in AssemblyHands' layout, ten hands each, for training and for evaluation"
    )
    seed: int = Field(0, ge=0, description="another seed renders other persons, motions and backgrounds")

    @model_validator(mode="after")
    def _ordered(self) -> "DemoSettings":
        shortest, longest = self.seconds
        if not 1.0 <= shortest <= longest:
            raise ValueError(f"seconds must be two increasing numbers from 1 up, not {shortest} and {longest}")
        return self
