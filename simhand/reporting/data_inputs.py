"""What a data report is made of: the files of stages 2 to 9, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simhand.hand100m.frame_files import AnnotatedImages


@dataclass(frozen=True)
class Shard:
    """The tables of one shard of a source; `hands` is None where hands are annotated, not found."""

    source: str
    status: Path
    hands: Path | None
    balanced: Path
    crops: Path
    keypoints: Path


@dataclass(frozen=True)
class Pool:
    """A pool, its pose space and its neighbours."""

    name: str
    sources: Sequence[str]
    min_visible: float
    members: Path
    pca: Path
    embeddings: Path
    neighbours: Sequence[Path]


@dataclass(frozen=True)
class DataInputs:
    """All of it; sources and pools are shown in the order in which they stand here."""

    shards: Sequence[Shard]
    pools: Sequence[Pool]
    crops_folder: Path  # holds {source}/{shard}.arrow
    frames_folder: Path  # the same, of sources that are videos
    annotated: Mapping[str, AnnotatedImages] = field(default_factory=dict)  # the images of the other sources

    @property
    def sources(self) -> list[str]:
        """The names of the sources."""
        return list(dict.fromkeys(shard.source for shard in self.shards))
