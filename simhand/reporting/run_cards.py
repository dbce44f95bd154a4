"""What the report reads of a pre-training run's card."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from simhand.errors import TableError


@dataclass(frozen=True)
class RunCard:
    """A part of what `simhand.pretraining.card` writes."""

    method: str
    weighting: str
    encoder: str
    pool: str
    hands: int
    epochs: int
    steps: int
    pairs_per_step: int
    pairs_per_loss: int
    final_loss: float  # mean over the last epoch

    @property
    def chance(self) -> float | None:
        """The loss of guessing each view's partner among all other views; None where weights make it another."""
        return math.log(2 * self.pairs_per_loss - 1) if self.weighting == "none" else None


def read_card(path: Path) -> RunCard:
    """Reads a run's card.

    Raises:
        TableError: missing or damaged, or without a value that the report shows.
    """
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        training, data = card["training"], card["data"]
        return RunCard(
            method=card["method"],
            weighting=card["weighting"],
            encoder=card["encoder"]["architecture"],
            pool=data["pool"],
            hands=int(data["hands"]),
            **{name: int(training[name]) for name in ("epochs", "steps", "pairs_per_step", "pairs_per_loss")},
            final_loss=float(training["mean_loss_of_last_epoch"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TableError(
            "cannot read the card of a pre-training run",
            where=path,
            got=repr(error),
            hint="delete the file and start the workflow again: the run will be made anew",
        ) from error
