"""Rows of a large matrix, so many at a time that what is computed from them stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

_ELEMENTS = {"cpu": 2**18, "cuda": 2**22}  # measured on a CPU; on a GPU so many that starting its kernels costs little


def row_blocks(rows: int, columns: Tensor) -> Iterator[slice]:
    """Slices that cover `rows` rows of a matrix with a column for each row of `columns`."""
    size = max(1, _ELEMENTS[columns.device.type] // max(1, len(columns)))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
