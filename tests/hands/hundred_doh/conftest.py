"""A network that is quick to ask: closed-form weights, thin frames, thirty regions of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from simhand.hands.hundred_doh import proposals
from simhand.hands.hundred_doh.detections import look
from simhand.hands.hundred_doh.network import HundredDohNet
from tests.parity.closed_form import Shapes, filled

GAINS = {"RCNN_base.0.": 0.01, "RPN_cls_score": 0.2, "RPN_bbox_pred": 0.1, "RCNN_bbox_pred": 0.2}
FEW = 30  # regions of a frame

MakeFrame = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def make_frame() -> MakeFrame:
    """Coloured blotches, uint8 (height, width, 3) RGB; as wide as a blob at most, and thin: a twentieth of the work."""

    def make(seed: int, height: int = 24, width: int = 1000) -> np.ndarray:
        coarse = np.random.default_rng(seed).integers(0, 256, (3, max(width // 20, 2), 3)).astype(np.uint8)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)

    return make


@pytest.fixture(scope="session")
def shapes() -> Shapes:
    with torch.device("meta"):
        return {key: tuple(tensor.shape) for key, tensor in HundredDohNet().state_dict().items()}


@pytest.fixture(scope="session")
def state(shapes: Shapes, make_frame: MakeFrame, one_thread: None) -> dict[str, Tensor]:
    """A state_dict of the network with heads that answer differently from region to region."""
    with torch.device("meta"):
        network = HundredDohNet()
    network.load_state_dict(filled(shapes, 106, GAINS), assign=True)
    network.eval()
    heads = network.extension_layer
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(proposals, "REGIONS", 100)
        regions = look(network, torch.from_numpy(make_frame(99))[None], torch.float32)
        seen = network.region_features(regions.features, regions.numbered)
        for head in (network.RCNN_cls_score, heads.hand_lr_layer, heads.hand_dydx_layer):
            _spread(head, seen)
        _spread(heads.hand_contact_state_layer[3], heads.hand_contact_state_layer[:3](seen))
        heads.hand_dydx_layer.weight[0] *= 0.05  # a magnitude is in units of 1,000 px
        heads.hand_dydx_layer.bias[0] *= 0.05
    return dict(network.state_dict())


def _spread(head: nn.Linear, features: Tensor) -> None:
    """Its answers over these features get mean 0 and deviation 1."""
    answers = head(features)
    head.weight /= answers.std(dim=0)[:, None]
    head.bias.sub_(answers.mean(dim=0)).div_(answers.std(dim=0))


@pytest.fixture(scope="session")
def network(state: dict[str, Tensor]) -> HundredDohNet:
    with torch.device("meta"):
        network = HundredDohNet()
    network.load_state_dict(state, assign=True)
    return network.eval()


@pytest.fixture(scope="session")
def weights_file(state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hundred_doh") / "faster_rcnn.pth"
    torch.save({"session": 1, "epoch": 8, "model": state, "pooling_mode": "align", "class_agnostic": False}, path)
    return path


@pytest.fixture
def few_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "REGIONS", FEW)
