"""A model before training: on a pre-trained encoder, or all random."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from simhand.errors import ConfigError
from simhand.finetuning.heads import HEADS
from simhand.finetuning.settings import NO_PRETRAINING, FinetuningSettings
from simhand.pretraining.initial import load_encoder


def initial_model(settings: FinetuningSettings, encoder: Path | None, seed: int) -> nn.Module:
    """A head with random weights, on a random encoder or a pre-trained one.

    Args:
        settings: name head and encoder.
        encoder: a file with a ResNet's weights: of a pre-training run, torchvision's, the official checkpoint, or those
            that PeCLR publishes; None: no pre-training.
        seed: of the random weights.

    Raises:
        ConfigError: weights are given for DetNet's original encoder.
        WeightsError: the file is missing or damaged, or holds another network's weights.
    """
    if encoder is not None and settings.encoder == "resnet50_dilated":
        raise ConfigError(
            "no pre-training has DetNet's original encoder",
            where="encoder",
            expected=NO_PRETRAINING,
            got=f"{settings.encoder} with the weights {encoder}",
            hint=f"name the pre-training run's own encoder, or start from {NO_PRETRAINING}",
        )
    head = HEADS[settings.head]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = head.build(settings)
    if encoder is not None:
        load_encoder(head.encoder(model), encoder)
    return model
