"""The heads that can be trained on an encoder: plain functions, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from simhand.finetuning.detnet import build_detnet, predict_detnet
from simhand.finetuning.losses import detnet_losses
from simhand.finetuning.prediction import Prediction
from simhand.finetuning.regression25d import build_regression25d, predict_regression25d
from simhand.finetuning.regression25d_losses import regression25d_losses
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.processes import Processes

__all__ = ["HEADS", "Head", "Prediction"]


@dataclass(frozen=True)
class Head:
    """A kind of head.

    `losses` gives the parts of the loss, each named ..._loss, and their weighted sum, named loss: scalars, each that of
    the whole batch, whose gradient with respect to a process's own images comes out right after averaging over the
    processes (as DistributedDataParallel does).
    """

    build: Callable[[FinetuningSettings], nn.Module]  # random weights, from torch's global generator
    encoder: Callable[[Any], nn.Module]  # the module's layers of a pre-trained ResNet, under torchvision's names
    losses: Callable[[Any, Sample, FinetuningSettings, Processes], dict[str, Tensor]]  # of the module's output
    predict: Callable[[Any, Sample], Prediction]  # from the module's output


HEADS: dict[str, Head] = {
    "detnet": Head(
        build_detnet, lambda model: model.encoder.named_as_torchvision(), losses=detnet_losses, predict=predict_detnet
    ),
    "regression25d": Head(
        build_regression25d,
        lambda model: model.backend_model,
        losses=regression25d_losses,
        predict=predict_regression25d,
    ),
}
