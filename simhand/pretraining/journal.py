"""What a run says about itself: metrics as JSON lines and for TensorBoard, a progress bar, and its speed in the log."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from tqdm import tqdm

from simhand.files import whole_file
from simhand.pretraining.tensorboard_log import TensorBoard
from simhand.progress import duration

log = logging.getLogger(__name__)
T = TypeVar("T")

_LINES = 2000  # of metrics in a run, however long it is
_LOG_EVERY_S = 30.0


class Journal:
    """Metrics of a run, consistent with its checkpoints; used as a context.

    Args:
        path: of the JSON lines; those after `first_step`, which an interrupted run wrote and this one writes again, are
            cut.
        tensorboard: folder of the same for TensorBoard.
        first_step: steps that are done already.
        steps: of the whole run.
    """

    def __init__(self, path: Path, tensorboard: Path, first_step: int, steps: int) -> None:
        self.path = path
        self.steps = steps
        self.every = max(1, steps // _LINES)
        kept = [line for line in _lines(path) if json.loads(line)["step"] <= first_step]
        with whole_file(path) as temporary:
            temporary.write_text("".join(kept))
        if first_step == 0 and tensorboard.exists():
            shutil.rmtree(tensorboard)  # of a run that this one replaces
        self._tensorboard = TensorBoard(tensorboard, first_step)
        self._bar = tqdm(initial=first_step, total=steps, unit="step", mininterval=1, disable=None)  # on terminals only
        self._start_interval()
        self._started = self._logged = time.perf_counter()
        self._first_step = first_step

    def timed(self, batches: Iterable[T]) -> Iterator[T]:
        """Passes batches on and measures how long training waits for them."""
        iterator = iter(batches)
        while True:
            before = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            self._waited_s += time.perf_counter() - before
            yield batch

    def record(self, step: int, images: int, values: dict[str, Any]) -> None:
        """Notes that `step` steps are done, the last with so many `images`; writes a line every so many steps.

        Rate and waiting are those of the steps since the line before.
        """
        self._images += images
        self._bar.set_postfix_str(f"loss {values['loss']:.4f}", refresh=False)
        self._bar.update()
        if step % self.every and step != self.steps:
            return
        now = time.perf_counter()
        duration_s = max(now - self._since, 1e-9)
        speed = {"images_per_s": self._images / duration_s, "data_wait_fraction": self._waited_s / duration_s}
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values, **speed}) + "\n")
        self._tensorboard.record(step, {**values, **speed})
        if now - self._logged > _LOG_EVERY_S or step == self.steps:
            self._log(step, now, values["loss"], speed)
        self._start_interval()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """Ends the progress bar and writes what TensorBoard has not got yet."""
        self._bar.close()
        self._tensorboard.close()

    def _start_interval(self) -> None:
        self._since, self._waited_s, self._images = time.perf_counter(), 0.0, 0

    def _log(self, step: int, now: float, loss: float, speed: dict[str, float]) -> None:
        self._logged = now
        left_s = (now - self._started) / (step - self._first_step) * (self.steps - step)
        rate, waiting = speed["images_per_s"], speed["data_wait_fraction"]
        text = "step %d of %d: loss %.4f, %.0f images/s, %.0f %% of the time waiting for crops, %s left"
        log.info(text, step, self.steps, loss, rate, 100 * waiting, duration(left_s))


def _lines(path: Path) -> list[str]:
    """Whole lines; a killed process may have left half of one."""
    if not path.exists():
        return []
    return [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
