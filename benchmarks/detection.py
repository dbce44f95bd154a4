"""The 100DOH detector against torchvision's own Faster R-CNN on ResNet-101, on frames of one size.

    python -m benchmarks.detection [--device cpu|cuda] [--precision float32|float16|bfloat16] [--frames 1]

prints frames a second of both, the ratio of their times (wanted: at most 1.2), and what batches are worth. Both get the
same frames, scale them to the same size, and end in boxes on the CPU. The peer is as torchvision has it: a feature
pyramid, 1,000 regions through two linear layers, batch norms that are not folded. simhand's has 300 regions through the
last quarter of the ResNet. Weights are random; every frame has as many hands as there may be. Reading is not counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.resnet import Bottleneck

from benchmarks.measuring import device_name, peak_mb, ratio, seconds
from simhand.device import choose_device
from simhand.hands.hundred_doh.detector import HundredDohDetector
from simhand.hands.hundred_doh.network import HundredDohNet
from simhand.hands.settings import HundredDohExecution, HundredDohSettings

_CLASSES = 3  # background, object, hand


def write_random_weights(path: Path) -> None:
    """Weights that no activation explodes with: each block of the ResNet adds little."""
    torch.manual_seed(0)
    network = HundredDohNet()
    for block in network.modules():
        if isinstance(block, Bottleneck):
            nn.init.constant_(block.bn3.weight, 0.2)
    torch.save(network.state_dict(), path)


class Peer:
    """torchvision's Faster R-CNN (ResNet-101 with a feature pyramid), on frames as simhand's detector gets them."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        backbone = resnet_fpn_backbone(backbone_name="resnet101", weights=None)
        for block in backbone.modules():
            if isinstance(block, Bottleneck):
                block.bn3.weight.fill_(0.2)  # frozen batch norms are buffers
        self._network = FasterRCNN(backbone, _CLASSES, min_size=600, max_size=1000, size_divisible=1).eval()
        self._network.to(device).to(memory_format=torch.channels_last)
        self._device, self._dtype = device, dtype

    @torch.inference_mode()
    def detect(self, frames: list[np.ndarray]) -> list[torch.Tensor]:
        """The boxes in each frame."""
        images = [torch.from_numpy(frame).to(self._device).permute(2, 0, 1).float() / 255 for frame in frames]
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32):
            return [found["boxes"].cpu() for found in self._network(images)]


def main(device: torch.device, precision: str, batch: int, size: tuple[int, int], turns: int) -> None:
    """Prints the figures."""
    frames = list(np.random.default_rng(0).integers(0, 256, (batch, *size, 3), dtype=np.uint8))
    settings = HundredDohSettings(score_threshold=1e-6, object_threshold=1e-6, precision=precision)
    with TemporaryDirectory() as folder:
        write_random_weights(Path(folder) / "weights.pth")
        execution = HundredDohExecution(device=device.type, batch_size=batch)
        own = HundredDohDetector(settings, execution, Path(folder) / "weights.pth")
    peer = Peer(device, getattr(torch, precision))
    print(f"{batch} frames of {size[1]} x {size[0]} px at once, {precision}, {device_name(device)}")
    for name, action in (("simhand", own.detect), ("torchvision", peer.detect)):
        with FlopCounterMode(display=False) as counter:
            found = action(frames)
        flops = counter.get_total_flops() / batch / 1e9
        print(f"{name}: {flops:.0f} GFLOPs a frame, {len(found[0])} detections in the first")
    actions: dict[str, Callable[[], object]] = {
        "simhand": lambda: own.detect(frames),
        "torchvision": lambda: peer.detect(frames),
    }
    if batch > 1:
        actions["one by one"] = lambda: [own.detect([frame]) for frame in frames]
    times: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(turns + 1):  # the first one warms up
        for name, action in actions.items():
            taken = seconds(action, 1, device)
            if turn:
                times[name].append(taken)
    for name, taken in times.items():
        print(f"{name:>11}: {batch / np.median(taken):.2f} frames/s")
    print(f"simhand / torchvision: {ratio(times['simhand'], times['torchvision'])} of the time (wanted: 1.2)")
    if batch > 1:
        print(f"one by one / at once: {ratio(times['one by one'], times['simhand'])} of the time")
    print(f"peak memory of both: {peak_mb(device):,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--precision", choices=("float32", "float16", "bfloat16"), default="float32")
    parser.add_argument("--frames", type=int, default=1, help="at once")
    parser.add_argument("--size", type=int, nargs=2, default=(720, 1280), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    main(choose_device(args.device), args.precision, args.frames, tuple(args.size), args.turns)
