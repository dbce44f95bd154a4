"""Pairs of crops for training, read from the memory-mapped store: any crop is found in O(1), none is held in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.io import ImageReadMode, decode_jpeg

from simhand.errors import TableError
from simhand.files import open_arrow
from simhand.pretraining.pool import Pool
from simhand.tables import CROPS


class Pair(NamedTuple):
    """A hand and its positive (v = 2), or a hand that is its own positive (v = 1); batches put N in front."""

    row: Tensor  # int64 (), the hand's row in the pool
    crops: Tensor  # uint8 (v, 3, S, S), RGB
    keypoints_px: Tensor  # float32 (v, 21, 2), pixels of the crop, (0, 0) being its upper left corner


class Pairs(Dataset[Pair]):
    """The pairs of a pool.

    Args:
        pool: the hands.
        positives: int64 (n,), each hand's positive; None where a hand is its own (SimCLR, PeCLR).
    """

    def __init__(self, pool: Pool, positives: np.ndarray | None) -> None:
        self.pool = pool
        self.positives = positives
        self._jpegs: dict[int, pa.ChunkedArray] = {}  # opened at first use, in each process anew

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_jpegs": {}}

    def __len__(self) -> int:
        return len(self.pool)

    def __getitem__(self, row: int) -> Pair:
        rows = [row] if self.positives is None else [row, int(self.positives[row])]
        crops = torch.stack([self.crop(each) for each in rows])
        keypoints_px = torch.from_numpy(self.pool.keypoints[rows]) * crops.shape[-1]
        return Pair(torch.tensor(row), crops, keypoints_px)

    def jpeg(self, row: int) -> np.ndarray:
        """The crop of a hand as it is stored: the bytes of a JPEG, uint8 (length,), not copied."""
        store = int(self.pool.store[row])
        if store not in self._jpegs:
            self._jpegs[store] = open_arrow(self.pool.stores[store], CROPS)["jpeg"]
        return np.frombuffer(self._jpegs[store][int(self.pool.store_row[row])].as_buffer(), dtype=np.uint8)

    def crop(self, row: int) -> Tensor:
        """The crop of a hand, uint8 (3, S, S)."""
        try:
            return decode_jpeg(torch.from_numpy(self.jpeg(row).copy()), mode=ImageReadMode.RGB)  # writable memory
        except RuntimeError as error:
            path = self.pool.stores[int(self.pool.store[row])]
            raise TableError(
                "a crop is no JPEG",
                where=f"{path}, row {self.pool.store_row[row]} (row {row} of the pool)",
                got=error,
                hint="delete the file and crop again",
            ) from error
