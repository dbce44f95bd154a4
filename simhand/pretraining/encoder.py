"""The hand encoder, torchvision's ResNet, and the projection head that pre-training puts on top (spec section 4)."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import ResNet

from simhand.errors import WeightsError
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


def build_model(settings: PretrainingSettings) -> ContrastiveModel:
    """The run's model, with random weights or with an encoder read from `initial_weights`.

    Raises:
        WeightsError: as `load_encoder`.
    """
    encoder: ResNet = torchvision.models.get_model(settings.encoder, weights=None)
    width = encoder.fc.in_features
    encoder.fc = nn.Identity()
    if settings.initial_weights is not None:
        load_encoder(encoder, settings.initial_weights)
    return ContrastiveModel(encoder, width, settings.projection_hidden, settings.projection_dim)


def load_encoder(encoder: nn.Module, path: Path) -> None:
    """Loads a torchvision ResNet's state_dict; its classifier `fc` may be there and is left out.

    Raises:
        WeightsError: the file is missing or damaged, or holds another network's weights.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsError("cannot read initial weights", where=path, got=error) from error
    hint = "give the state_dict of torchvision's ResNet that `encoder` names, saved with torch.save"
    if not isinstance(state, dict):
        raise WeightsError("initial weights are no state_dict", where=path, got=type(state).__name__, hint=hint)
    state = {key: value for key, value in state.items() if not key.startswith("fc.")}
    try:
        keys = encoder.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsError("initial weights of other shapes", where=path, got=error, hint=hint) from error
    if keys.missing_keys or keys.unexpected_keys:
        got = f"missing {_some(keys.missing_keys)}; unexpected {_some(keys.unexpected_keys)}"
        raise WeightsError("initial weights of another network", where=path, got=got, hint=hint)


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "") if keys else "none"


def encoder_state(model: ContrastiveModel) -> dict[str, Tensor]:
    """The encoder's weights under torchvision's names, without `fc`: what fine-tuning starts from."""
    return {key: value.detach().cpu().contiguous() for key, value in model.encoder.state_dict().items()}
