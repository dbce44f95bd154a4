"""Where the files of a configured pool lie."""

from __future__ import annotations

from pathlib import Path

from simhand.config import Config
from simhand.errors import InputError
from simhand.hand100m.exporting import PoolFiles
from simhand.hand100m.frame_files import AnnotatedImages


def pool_files(config: Config, pool: str, results: Path) -> PoolFiles:
    """The files of a pool, which must be there.

    Args:
        config: the configuration that they were made by.
        pool: its name.
        results: the folder of results.

    Raises:
        InputError: there is no such pool, or it is not finished.
    """
    if pool not in config.pools:
        raise InputError("no such pool in the configuration", expected=f"one of {', '.join(config.pools)}", got=pool)
    folder = results / "pools" / pool
    settings = config.pools[pool]
    names = (
        ["released"]
        if settings.similar == "annotated"
        else [f"{i}of{settings.query_shards}" for i in range(settings.query_shards)]
    )
    members, neighbours = folder / "members.parquet", [folder / "neighbours" / f"{name}.parquet" for name in names]
    missing = [path for path in (members, *neighbours) if not path.is_file()]
    if missing:
        hint = f"snakemake --cores 2 {' '.join(map(str, neighbours))}, with the same --configfile"
        raise InputError(f"the pool {pool} is not finished", where=missing[0], got="no such file", hint=hint)
    annotated = {
        name: AnnotatedImages(source.images, results / "annotations" / f"{name}.arrow")
        for name, source in config.sources.items()
        if name in settings.sources and source.images is not None
    }
    return PoolFiles(members, neighbours, results / "crops", results / "frames", annotated)
