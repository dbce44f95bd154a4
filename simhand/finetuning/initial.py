"""DetNet before training: on a pre-trained encoder, or all random."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from torch import nn

from simhand.finetuning.detnet import DetNet
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.encoder import load_encoder


# The sigmoid of it is 0.007, a heat map's mean. From the usual start, a half everywhere, training first spends its time on
# reaching all zeros, and then leaves that state slowly: 160 hands from scratch, 12 epochs: 43 mm, and with this 26 mm.
_HEATMAP_BIAS = -5.0


def initial_detnet(settings: FinetuningSettings, encoder: Path | None, seed: int) -> DetNet:
    """A DetNet with random weights (Kaiming's for convolutions), its encoder's then replaced by pre-trained ones.

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
        nn.init.constant_(model.hmap_0.prediction.bias, _HEATMAP_BIAS)
    if encoder is not None:
        resnet.fc = nn.Identity()  # the rest of it is the model's encoder
        load_encoder(resnet, encoder)
    return model
