"""The 100DOH detector as simhand's other detectors: frames in, hands out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from math import isnan
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from simhand.device import choose_device
from simhand.errors import WeightsError
from simhand.hands.detect import detect_shard
from simhand.hands.detector import Detection, TouchedObject
from simhand.hands.hundred_doh.detections import Hands, find_hands
from simhand.hands.hundred_doh.network import fold_batch_norm
from simhand.hands.hundred_doh.weights import load_network
from simhand.hands.settings import HundredDohExecution, HundredDohSettings
from simhand.tables import CONTACT_STATES

log = logging.getLogger(__name__)
_Numbers = Sequence[float]
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class HundredDohDetector:
    """Finds hands with the network of Shan et al., frames of one size at once.

    Args:
        settings: what counts as a hand.
        execution: where it runs.
        weights: the authors' file, or what `prepare_weights` wrote.

    Raises:
        WeightsError: the file is missing, damaged, or of another network.
        ConfigError: a GPU is wanted and there is none.
    """

    name = "hundred_doh"

    def __init__(self, settings: HundredDohSettings, execution: HundredDohExecution, weights: Path | str) -> None:
        self._settings = settings
        self._device = choose_device(execution.device)
        self.at_once = execution.batch_size if _on_gpu(execution) else 1  # more are no faster on a CPU
        self._dtype = _DTYPES[_precision(settings, execution)]
        network = load_network(weights)
        fold_batch_norm(network)
        self._network = network.to(self._device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def detect(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """See HandDetector."""
        found: dict[int, list[Detection]] = {}
        for rows in _of_one_size(frames):
            images = torch.from_numpy(np.stack([frames[row] for row in rows])).to(self._device)
            found |= zip(rows, map(_detections, self._find(images)), strict=True)
        return [found[row] for row in range(len(frames))]

    def _find(self, images: Tensor) -> list[Hands]:
        """In float32 where fewer digits, or less range, lead to what is no number."""
        try:
            return find_hands(self._network, images, self._settings, self._dtype)
        except WeightsError as error:
            if self._dtype == torch.float32:
                raise
            log.warning("%d frames are seen again in float32: %s", len(images), error)
            return find_hands(self._network, images, self._settings, torch.float32)


def detect_shard_100doh(
    source: str,
    frames_path: Path | str,
    hands_path: Path | str,
    *,
    weights: Path | str,
    settings: HundredDohSettings,
    execution: HundredDohExecution,
    workers: int = 1,
) -> None:
    """Stage 3 with this detector: see `simhand.hands.detect.detect_shard`."""
    place = "a GPU" if _on_gpu(execution) else "the CPU"
    log.info("the 100DOH detector runs on %s in %s", place, _precision(settings, execution))
    start = partial(open_on_one_thread, settings, execution, weights)
    detect_shard(source, frames_path, hands_path, start, workers=workers, leaks=False)


def open_on_one_thread(
    settings: HundredDohSettings, execution: HundredDohExecution, weights: Path | str
) -> HundredDohDetector:
    """The detector for a process of its own, one of several on this machine."""
    torch.set_num_threads(1)
    return HundredDohDetector(settings, execution, weights)


def _on_gpu(execution: HundredDohExecution) -> bool:
    return execution.device != "cpu" and torch.cuda.is_available()


def _precision(settings: HundredDohSettings, execution: HundredDohExecution) -> str:
    if settings.precision == "auto":
        return "float16" if _on_gpu(execution) else "float32"
    return settings.precision


def _of_one_size(frames: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """The places of frames, those of one size together."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for row, frame in enumerate(frames):
        by_size.setdefault(frame.shape, []).append(row)
    yield from by_size.values()


def _detections(hands: Hands) -> list[Detection]:
    columns = (part.tolist() for part in hands)
    return [_detection(*row) for row in zip(*columns, strict=True)]


def _detection(box: _Numbers, score: float, right: bool, contact: int, *offset_and_object: _Numbers) -> Detection:
    offset, (x1, y1, x2, y2, object_score) = offset_and_object
    return Detection(
        box=(box[0], box[1], box[2], box[3]),
        score=score,
        side="right" if right else "left",
        detected_side=str(int(right)),
        contact=CONTACT_STATES[contact],
        offset=(offset[0], offset[1], offset[2]),
        touched=None if isnan(object_score) else TouchedObject((x1, y1, x2, y2), object_score),
    )
