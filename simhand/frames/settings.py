"""What can be set about sampling frames."""

from typing import Literal

from pydantic import Field

from simhand.settings import Settings


class SamplingSettings(Settings):
    """Frames are taken by time, not by counting frames, so every frame rate gives the same density."""

    fps: float = Field(1.0, gt=0, description="frames taken from each second of video")
    jpeg_quality: int = Field(95, ge=1, le=100, description="quality of the stored frames")
    decoder: Literal["pyav", "decord"] = Field(
        "pyav",
        description="what decodes videos; both take the same frames, pyav is faster, maintained, and reads more kinds",
    )
    time_limit_s: float = Field(3600.0, gt=0, description="a video that takes longer to decode is given up (timeout)")
    memory_limit_mb: int = Field(
        4096, ge=256, description="a video whose decoding wants more memory (address space) is given up (memory)"
    )
