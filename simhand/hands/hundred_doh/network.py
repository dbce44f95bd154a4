"""The network: ResNet-101 C4 Faster R-CNN with heads for contact, offset and side. Modules are named as in its file."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import resnet101
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops import roi_align

from simhand.hands.hundred_doh.anchors import STRIDE
from simhand.hands.hundred_doh.boxes import enlarge
from simhand.tables import CONTACT_STATES

OBJECT, HAND = 1, 2  # classes; 0 is the background
_CLASSES, _ANCHORS, _FEATURES = 3, 12, 2048
_DIRECTION = 0.1  # length of an offset's direction


class HundredDohNet(nn.Module):
    """Its state_dict has the 642 tensors of the published files; evaluation mode alone is of use.

    Source: spec section 12.
    """

    def __init__(self) -> None:
        super().__init__()
        resnet = _caffe_resnet101()
        self.RCNN_rpn = _RegionProposals()
        self.RCNN_base = nn.Sequential(
            resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool, resnet.layer1, resnet.layer2, resnet.layer3
        )
        self.RCNN_top = nn.Sequential(resnet.layer4)
        self.RCNN_cls_score = nn.Linear(_FEATURES, _CLASSES)
        self.RCNN_bbox_pred = nn.Linear(_FEATURES, 4 * _CLASSES)
        self.extension_layer = _HandHeads()

    def features(self, blob: Tensor) -> Tensor:
        """Of a blob (B, 3, H, W): (B, 1024, h, w), a cell for 16 px."""
        out: Tensor = self.RCNN_base(blob)
        return out

    def region_features(self, features: Tensor, regions: Tensor) -> Tensor:
        """Of regions (R, 5), the image's number before each box in px of the blob: (R, 2048)."""
        return self.RCNN_top(pool(features, regions)).mean(dim=(2, 3))

    def classify(self, region_features: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities (R, 3) of background, object and hand, and box deltas (R, 3, 4), one for each."""
        scores = self.RCNN_cls_score(region_features).float()
        deltas = self.RCNN_bbox_pred(region_features).float()
        return scores.softmax(dim=1), deltas.view(-1, _CLASSES, 4) * deltas.new_tensor([0.1, 0.1, 0.2, 0.2])

    def sides(self, region_features: Tensor) -> Tensor:
        """Logits (R,) of a right hand."""
        return self.extension_layer.hand_lr_layer(region_features).float()[:, 0]

    def contacts(self, features: Tensor, regions: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Logits (R, 5) of the contact states, and offsets (R, 3), both of regions (R, 5) seen with their surroundings.

        Args:
            features: (B, 1024, h, w).
            regions: (R, 5).
            height: of the blob, px.
            width: of the blob, px.
        """
        wider = torch.cat([regions[:, :1], enlarge(regions[:, 1:], height, width)], dim=1)
        seen = self.region_features(features, wider)
        magnitude, direction = self.extension_layer.hand_dydx_layer(seen).float().split([1, 2], dim=1)
        offsets = torch.cat([magnitude, _DIRECTION * functional.normalize(direction, dim=1)], dim=1)
        return self.extension_layer.hand_contact_state_layer(seen).float(), offsets


class _RegionProposals(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.RPN_Conv = nn.Conv2d(1024, 512, 3, padding=1)
        self.RPN_cls_score = nn.Conv2d(512, 2 * _ANCHORS, 1)
        self.RPN_bbox_pred = nn.Conv2d(512, 4 * _ANCHORS, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 24, h, w) and deltas (B, 48, h, w), float32."""
        seen = functional.relu(self.RPN_Conv(features))
        return self.RPN_cls_score(seen).float(), self.RPN_bbox_pred(seen).float()


class _HandHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        states = len(CONTACT_STATES)
        self.hand_contact_state_layer = nn.Sequential(
            nn.Linear(_FEATURES, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, states)
        )
        self.hand_dydx_layer = nn.Linear(_FEATURES, 3)
        self.hand_lr_layer = nn.Linear(_FEATURES, 1)


def pool(features: Tensor, regions: Tensor) -> Tensor:
    """RoIAlign of regions (R, 5) in px of the blob: (R, 1024, 7, 7), of as many samples as a bin is wide."""
    return roi_align(features.float(), regions, 7, 1 / STRIDE, sampling_ratio=0, aligned=False)


def _caffe_resnet101() -> ResNet:
    """torchvision's, with the stride in the first convolution of a block and a pool that begins at the border."""
    resnet = resnet101(weights=None)
    resnet.maxpool = nn.MaxPool2d(3, stride=2, padding=0, ceil_mode=True)
    for layer in (resnet.layer2, resnet.layer3, resnet.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    return resnet


def fold_batch_norm(network: HundredDohNet) -> None:
    """Makes batch norms, constants here, part of the convolutions before them; the state_dict is another then."""
    base = network.RCNN_base
    if isinstance(base[1], nn.Identity):
        return
    base[0], base[1] = _folded(base[0], base[1]), nn.Identity()
    blocks = [module for module in network.modules() if isinstance(module, Bottleneck)]
    for block in blocks:
        for i in (1, 2, 3):
            setattr(block, f"conv{i}", _folded(getattr(block, f"conv{i}"), getattr(block, f"bn{i}")))
            setattr(block, f"bn{i}", nn.Identity())
        if block.downsample is not None:
            block.downsample = nn.Sequential(_folded(*block.downsample))


def _folded(convolution: Any, norm: Any) -> nn.Module:
    return fuse_conv_bn_eval(convolution, norm)
