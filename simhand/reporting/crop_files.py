"""The crops of a pool's hands, found by where the pool says that they lie."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.frames.images import frame_image
from simhand.tables import CROPS

_OPEN = 4  # files that are kept open; ask for the hands of a shard one after the other


class CropFiles:
    """The tables of crops, each opened when a hand of it is asked for.

    Args:
        folder: holds {source}/{shard}.arrow, of CROPS.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened = lru_cache(_OPEN)(lambda path: open_arrow(path, CROPS))

    def of(self, hand: Mapping[str, Any]) -> dict[str, Any]:
        """The row of CROPS of one hand of MEMBERS, with `image`, uint8 (size, size, 3) RGB, in the place of `jpeg`.

        Raises:
            TableError: the crops are missing or damaged, or not those of the pool.
        """
        path, row = self._folder / hand["source"] / f"{hand['shard']}.arrow", hand["shard_row"]
        crops: pa.Table = self._opened(path)
        if row >= len(crops) or crops["hand_id"][row].as_py() != hand["hand_id"]:
            raise TableError(
                "the crops are not those of the pool",
                where=f"{path}, row {row}",
                expected=hand["hand_id"],
                hint="start the workflow again: the pool will be made anew",
            )
        known = {name: crops[name][row].as_py() for name in CROPS.names if name != "jpeg"}
        return {**known, "image": frame_image(crops, row, path)}
