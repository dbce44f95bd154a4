"""What a data report is made of: the files of stages 2 to 9, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


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
    crops_folder: Path

    @property
    def sources(self) -> list[str]:
        """The names of the sources."""
        return list(dict.fromkeys(shard.source for shard in self.shards))
