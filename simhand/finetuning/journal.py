"""The metrics of a run, one line an epoch, in step with its checkpoints, and how fast it goes."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Self

from tqdm import tqdm

from simhand.files import whole_file
from simhand.finetuning.order import Plan
from simhand.finetuning.tally import Row
from simhand.pretraining.processes import Processes
from simhand.progress import duration

log = logging.getLogger(__name__)
_LOG_EVERY_S = 30.0


class Journal:
    """Rows of metrics, written whole after each epoch, so that they can be watched; used as a context.

    Only the first process writes.

    Args:
        path: of the JSON lines while the run goes on.
        first_step: steps that are done already; what an interrupted run wrote about later epochs is dropped.
        plan: of the run.
        processes: that train it.
    """

    def __init__(self, path: Path, first_step: int, plan: Plan, processes: Processes) -> None:
        self.path = path
        epochs = first_step // plan.steps_per_epoch
        lines = path.read_text().splitlines() if epochs else []
        self.rows: list[Row] = [json.loads(line) for line in lines[:epochs]]
        self._plan, self._writes = plan, processes.first
        self._steps = self._first_step = first_step
        self._started = self._spoke = self._epoch_began = time.perf_counter()
        self._images = 0.0
        silent = None if processes.first else True  # None: on terminals only
        self._bar = tqdm(initial=first_step, total=plan.steps, unit="step", mininterval=1, disable=silent)

    def step(self, images: float, loss: float) -> None:
        """Notes a step of so many images."""
        self._images += images
        self._steps += 1
        self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update()
        now = time.perf_counter()
        if now - self._spoke > _LOG_EVERY_S and self._writes:
            self._spoke = now
            left_s = (now - self._started) / (self._steps - self._first_step) * (self._plan.steps - self._steps)
            log.info("step %d of %d: loss %.4f, %s left", self._steps, self._plan.steps, loss, duration(left_s))

    def add(self, row: Row) -> None:
        """Adds an epoch."""
        now = time.perf_counter()
        self.rows.append({**row, "images_per_s": self._images / (now - self._epoch_began)})
        self._epoch_began, self._images, self._spoke = now, 0.0, now
        if self._writes:
            self._write(self.path)
            log.info("%s", ", ".join(f"{name} {value:.5g}" for name, value in self.rows[-1].items()))

    def publish(self, path: Path) -> None:
        """Writes the rows of the finished run to where they belong."""
        self._write(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._bar.close()

    def _write(self, path: Path) -> None:
        with whole_file(path) as temporary:
            temporary.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
