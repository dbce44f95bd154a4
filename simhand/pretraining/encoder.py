"""The hand encoder, torchvision's ResNet, and the projection head that pre-training puts on top (spec section 4)."""

from __future__ import annotations

from pathlib import Path

import torchvision
from torch import Tensor, nn
from torchvision.models import ResNet

from simhand.pretraining.initial import initialise
from simhand.pretraining.settings import PretrainingSettings


class ContrastiveModel(nn.Module):
    """Encoder E and projection head g of the paper's f = g o E (section 3.3)."""

    def __init__(self, encoder: ResNet, width: int, hidden: int, dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.projection = nn.Sequential(
            nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, dim, bias=False)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Images (n, 3, s, s) to embeddings (n, dim), not yet of unit length."""
        return self.projection(self.encoder(images))


def build_model(settings: PretrainingSettings, initial: Path | None = None) -> ContrastiveModel:
    """The run's model, with random weights but what it starts from.

    Args:
        settings: of the run.
        initial: the file it starts from, as from `initial_path`.

    Raises:
        WeightsError: as `initialise`.
    """
    encoder: ResNet = torchvision.models.get_model(settings.encoder, weights=None)
    width = encoder.fc.in_features
    encoder.fc = nn.Identity()
    initialise(encoder, settings, initial)
    return ContrastiveModel(encoder, width, settings.projection_hidden, settings.projection_dim)


def encoder_state(model: ContrastiveModel) -> dict[str, Tensor]:
    """The encoder's weights under torchvision's names, without `fc`: what fine-tuning starts from."""
    return {key: value.detach().cpu().contiguous() for key, value in model.encoder.state_dict().items()}
