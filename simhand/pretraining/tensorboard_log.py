"""The metrics of a run for TensorBoard, while it trains: `tensorboard --logdir results/pretraining`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

_FLUSH_S = 5  # so much of its curve a killed run loses at most


class TensorBoard:
    """Writes scalars into a folder of event files, one file a start of the run.

    Args:
        folder: of this run alone; it is made.
        first_step: steps that are done already. What an interrupted run wrote of later ones, and this one writes again,
            TensorBoard leaves out: no step shows twice.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=first_step + 1, flush_secs=_FLUSH_S)

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Notes numbers, by name, of the state after `step` steps."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Writes what is left and closes the file; nothing can be recorded after that."""
        self._writer.close()
