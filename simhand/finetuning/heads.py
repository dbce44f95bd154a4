"""The heads that can be trained on an encoder: plain functions, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.processes import Processes


class Prediction(NamedTuple):
    """What a head says about B images."""

    keypoints_px: Tensor  # (B, 21, 2) in the crop
    locations: Tensor  # (B, 21, 3) relative to the wrist, in lengths of the hand's own bone from wrist to joint 9
    absolute: Tensor  # (B, 21, 3) in the camera's frame, in lengths of the hand's own bone from joint 9 to joint 10


@dataclass(frozen=True)
class Head:
    """A kind of head.

    `losses` gives the parts of the loss, each named ..._loss, and their weighted sum, named loss: scalars, each that of
    the whole batch, whose gradient with respect to a process's own images comes out right after averaging over the
    processes (as DistributedDataParallel does).
    """

    build: Callable[[FinetuningSettings], nn.Module]  # random weights, from torch's global generator
    losses: Callable[[Any, Sample, FinetuningSettings, Processes], dict[str, Tensor]]  # of the module's output
    predict: Callable[[Any, Sample], Prediction]  # from the module's output


HEADS: dict[str, Head] = {}
