"""What a run remembers besides weights: the sums of the epoch it is in, and its best epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Row = dict[str, float]


class Tally:
    """Means over the images of an epoch, gathered step by step; checkpoints keep it."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._images = 0.0

    def add(self, images: float, values: Row) -> None:
        """Adds a step of so many images and its means over them."""
        self._images += images
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + images * value

    def take(self) -> Row:
        """The means of the epoch, which is over; the next begins."""
        means = {name: total / self._images for name, total in self._sums.items()}
        self._sums, self._images = {}, 0.0
        return means

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"sums": self._sums, "images": self._images}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """From a checkpoint."""
        self._sums, self._images = dict(state_dict["sums"]), state_dict["images"]


@dataclass
class Best:
    """The epoch with the lowest error on held-out labels; checkpoints keep it."""

    error_mm: float = math.inf
    epoch: int = 0

    def better(self, error_mm: float, epoch: int) -> bool:
        """Whether this epoch is the best so far, which is then remembered."""
        if error_mm >= self.error_mm:
            return False
        self.error_mm, self.epoch = error_mm, epoch
        return True

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"error_mm": self.error_mm, "epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """From a checkpoint."""
        self.error_mm, self.epoch = state_dict["error_mm"], state_dict["epoch"]
