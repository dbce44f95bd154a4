"""DetNet before training: on a pre-trained encoder, or all random."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from torch import nn

from simhand.finetuning.detnet import DetNet
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.initial import load_encoder

_HEATMAP_BIAS = -5.0


def initial_detnet(settings: FinetuningSettings, encoder: Path | None, seed: int) -> DetNet:
    """A DetNet with random weights (Kaiming's for convolutions), or those of a pre-trained encoder.

    Unlike the official one it starts with heat maps at about 0.007, their mean, not at a half: from there training
    goes to all zeros first and leaves that state slowly (160 hands, 12 passes, no pre-training: 43 mm; so: 26 mm).

    Args:
        settings: names the encoder.
        encoder: a torchvision ResNet's state_dict, as pre-training writes it; None: no pre-training.
        seed: of the random weights.

    Raises:
        WeightsError: the file is missing or damaged, or holds another network's weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        resnet = torchvision.models.get_model(settings.encoder, weights=None)
        model = DetNet(resnet)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.constant_(model.hmap_0.prediction.get_parameter("bias"), _HEATMAP_BIAS)
    if encoder is not None:
        resnet.fc = nn.Identity()  # the rest of it is the model's encoder
        load_encoder(resnet, encoder)
    return model
