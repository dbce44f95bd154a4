"""What can be set about where hands come from."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from simhand.settings import Settings

SOURCE_KINDS = {"videos": "folder", "list": "file", "frames": "folder", "annotations": "file"}  # and what they name


class SourceSettings(Settings):
    """A source of hands: exactly one of videos, list, frames and annotations, which says what it is and where."""

    videos: Path | None = Field(None, description="a folder of videos; those in folders below it count too")
    list: Path | None = Field(
        None,
        description="instead: a text file with the path of a video a line, or an id, a tab and a path; relative paths "
        "are seen from the file's folder",
    )
    frames: Path | None = Field(
        None, description="instead: a folder in which each folder of images holds the extracted frames of a video"
    )
    frame_rate: float = Field(
        30.0, gt=0, description="with frames: what the numbers in the images' names count, a second"
    )
    annotations: Path | None = Field(
        None,
        description="instead: hands that are known already, a JSON in the official layout of Hand100M; its hands are "
        "neither looked for, selected nor balanced",
    )
    images: Path | None = Field(None, description="with annotations: the folder of the images that they name")
    shards: int = Field(
        8, ge=1, description="into how many jobs the work on its videos is cut; 50 to 150 videos each do well"
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The keys of SOURCE_KINDS that are given."""
        return tuple(kind for kind in SOURCE_KINDS if getattr(self, kind) is not None)

    @property
    def kind(self) -> str:
        """What the source is."""
        return self.kinds[0]

    @property
    def path(self) -> Path:
        """Where the source is."""
        return Path(getattr(self, self.kind))
