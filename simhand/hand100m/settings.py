"""What can be set about the released annotations."""

from typing import Literal

from pydantic import Field

from simhand.settings import Settings


class ImportSettings(Settings):
    """The stored crop of an annotated hand; its square is the official one, since the keypoints are given in it."""

    size: int = Field(224, ge=32, description="pixels of the stored crop's side")
    jpeg_quality: int = Field(95, ge=1, le=100, description="quality of the stored crops")


class ReleasedSettings(Settings):
    """Which of the annotated similar hands become neighbours."""

    neighbours: int = Field(10, ge=1, description="at most so many similar hands of each hand")
    without_similar: Literal["stop", "self"] = Field(
        "stop", description="a hand none of whose similar hands is in the pool: stop, or let it be its own positive"
    )


class ExportSettings(Settings):
    """What of a pool is written."""

    annotations: str = Field("annotations.json", min_length=1, description="the JSON's path inside the folder")
    top_k: int | None = Field(None, ge=1, description="at most so many similar hands of each hand; empty: all")
    with_images: bool = Field(True, description="write the frames too")


def shard_names(shards: int) -> list[str]:
    """All shards of an annotation, as `simhand.stable.shard_of` calls them.

    Which of them hold a video is not known before the JSON is read, so all of them are made; some may be empty.
    """
    width = len(str(shards))
    return [f"{number:0{width}d}of{shards}" for number in range(shards)]
