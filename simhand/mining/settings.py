"""What can be set about pools and the mining of similar hands."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from simhand.settings import Settings

Normalisation = Literal["crop", "centred", "centred_scaled"]


class DrawSettings(Settings):
    """Which hands belong to a pool (stage 7)."""

    sources: tuple[str, ...] = Field(min_length=1, description="names of the sources to draw from")
    size: int | None = Field(
        None, ge=2, description="how many hands; empty: all. A smaller pool is part of a larger one"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="another seed draws other hands")
    min_visible: float = Field(
        0.0,
        ge=0,
        le=1,
        description="hands with a smaller share of their keypoints inside the frame are left out; the paper keeps all",
    )
    max_failed_videos: float = Field(
        0.2, ge=0, le=1, description="stop if a larger fraction of the sources' videos could not be read"
    )

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(sources)) < len(sources):
            raise ValueError("a source is named twice, so each of its hands would be its own double")
        return sources


class EmbeddingSettings(Settings):
    """How the poses of a pool are compared (stage 8)."""

    normalisation: Normalisation = Field(
        "crop",
        description="keypoints before PCA: as they lie in the crop, relative to their mean, or scaled to unit size too",
    )
    components: int = Field(14, ge=1, le=42, description="dimensions that PCA keeps of the 42 coordinates")


class NeighbourSettings(Settings):
    """Which similar hands are mined (stage 9)."""

    neighbours: int = Field(10, ge=1, description="K: how many similar hands of other videos are mined for each hand")
    further_ranks: tuple[int, ...] = Field(
        (), description="single ranks beyond K that are mined too, say [100, 1000, 5000] (paper: Table 4)"
    )
    query_shards: int = Field(1, ge=1, description="into how many jobs the queries are cut")

    @model_validator(mode="after")
    def _further_is_beyond(self) -> Self:
        ranks = self.ranks()
        if list(ranks) != sorted(set(ranks)):
            raise ValueError(f"further_ranks {list(self.further_ranks)} must rise from beyond neighbours")
        return self

    def ranks(self) -> tuple[int, ...]:
        """All ranks that are mined, ascending."""
        return (*range(1, self.neighbours + 1), *self.further_ranks)


class PoolSettings(DrawSettings, EmbeddingSettings, NeighbourSettings):
    """A pool: hands drawn from one or more sources, in which similar hands of different videos are mined."""

    similar: Literal["mined", "annotated"] = Field(
        "mined", description="annotated: take the similar hands from the sources' annotations, up to neighbours of them"
    )
    without_similar: Literal["stop", "self"] = Field(
        "stop",
        description="an annotated hand none of whose similar hands is in the pool: stop, or let it be its own positive",
    )
