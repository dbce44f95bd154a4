"""Fingerprints of results: equal ones have equal bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from simhand.errors import TableError
from simhand.reporting.data_inputs import Pool
from simhand.reporting.grid import Grid

_BYTES = 8


def content_fingerprint(*paths: Path) -> str:
    """16 hexadecimal digits for the content of some files in their order (blake2b).

    Raises:
        TableError: one is missing.
    """
    digest = hashlib.blake2b(digest_size=_BYTES)
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "blake2b").digest())
        except OSError as error:
            hint = "start the workflow again: it will be made anew"
            raise TableError("cannot read a result", where=path, got=error, hint=hint) from error
    return digest.hexdigest()


def pool_fingerprints(pools: Sequence[Pool]) -> Grid:
    """Of each pool's hands, PCA and pairs."""
    rows = [
        (pool.name, *map(content_fingerprint, (pool.members, pool.pca)), content_fingerprint(*pool.neighbours))
        for pool in pools
    ]
    return Grid(("pool", "hands", "PCA", "similar hands"), rows)
