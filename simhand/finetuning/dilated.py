"""DetNet's original encoder: a shorter ResNet-50 that keeps a quarter of the image's side (spec: section 9, r50*).

Where a ResNet would halve the side, its second and third group of layers widen their kernels instead. Parameters are
named as in the official code.
"""

from __future__ import annotations

from torch import Tensor, nn

_EXPANSION = 4
_STEM, _WIDTH = 64, 256


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions, added to a shortcut.

    Args:
        channels_in: of the input.
        width: of the 3 x 3 convolution; four times as many channels come out.
        stride: of the 3 x 3 convolution.
        dilation: of the 3 x 3 convolution.
        shortcut: around the convolutions; None: the input itself.
    """

    def __init__(
        self, channels_in: int, width: int, stride: int = 1, dilation: int = 1, shortcut: nn.Module | None = None
    ) -> None:
        super().__init__()
        channels_out = _EXPANSION * width
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, channels_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, 4 width, H/stride, W/stride)."""
        inner = self.relu(self.bn1(self.conv1(features)))
        inner = self.relu(self.bn2(self.conv2(inner)))
        return self.relu(self.bn3(self.conv3(inner)) + self.shortcut(features))


class DilatedResNet(nn.Module):
    """Images (B, 3, H, W), sides multiples of 4, to features (B, 256, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, _STEM, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM)
        self.relu = nn.ReLU(inplace=True)
        self.block1 = _group(_STEM, 64, 2)
        self.pool = nn.Sequential(Bottleneck(256, 64, stride=2, shortcut=nn.MaxPool2d(2)))
        self.block2 = _group(256, 128, 4, dilation=2)
        self.block3 = _group(512, 256, 6, dilation=4)
        self.squeeze = nn.Sequential(
            nn.Conv2d(1024, _WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(_WIDTH), nn.ReLU()
        )

    def forward(self, images: Tensor) -> Tensor:
        """As the class says."""
        features = self.pool(self.block1(self.relu(self.bn1(self.conv1(images)))))  # (B, 256, H/4, W/4)
        return self.squeeze(self.block3(self.block2(features)))


def _group(channels_in: int, width: int, count: int, dilation: int = 1) -> nn.Sequential:
    """So many bottlenecks, the first with a convolution as shortcut, to the others' number of channels."""
    channels_out = _EXPANSION * width
    shortcut = nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out))
    first = Bottleneck(channels_in, width, dilation=dilation, shortcut=shortcut)
    return nn.Sequential(first, *(Bottleneck(channels_out, width, dilation=dilation) for _ in range(count - 1)))
