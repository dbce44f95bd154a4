"""The encoder as a program that runs without torchvision and simhand."""

from __future__ import annotations

import io
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import ResNet

from simhand.pretraining.settings import EncoderName

_ONE_PIXEL_PX = 32  # images of this side or less end as a map of one pixel


def exported_program(state: dict[str, Tensor], encoder: EncoderName, image_size: int) -> bytes:
    """The encoder as a program of `torch.export` (.pt2), which runs with torch alone.

    It takes float32 images (n, 3, h, w), normalised with ImageNet's mean and deviation, and gives (n, width), as in
    eval mode. h and w are free from 33 px on; an encoder trained on 32 px takes those alone, as the last layers, which
    see one pixel then, make another program. It is no TorchScript, which PyTorch has deprecated.

    Args:
        state: torchvision's state_dict without `fc`, on the CPU.
        encoder: the ResNet's name.
        image_size: px, of training.

    Returns:
        the file's content: equal weights give equal bytes, and it names no files of this machine.
    """
    example = torch.zeros(2, 3, image_size, image_size)  # a batch of one would fix n at 1
    program = torch.export.export(_resnet(state, encoder), (example,), dynamic_shapes=(_free_sizes(image_size),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names source files
    packed = io.BytesIO()
    torch.export.save(program, packed)
    return packed.getvalue()


def _free_sizes(image_size: int) -> dict[int, Any]:
    batch = {0: torch.export.Dim("batch")}
    if image_size <= _ONE_PIXEL_PX:
        return batch
    least = _ONE_PIXEL_PX + 1
    return {**batch, 2: torch.export.Dim("height", min=least), 3: torch.export.Dim("width", min=least)}


def _resnet(state: dict[str, Tensor], encoder: EncoderName) -> ResNet:
    """In eval mode; made without drawing random weights."""
    with torch.device("meta"):
        resnet: ResNet = torchvision.models.get_model(encoder, weights=None)
    resnet.fc = nn.Identity()
    resnet.load_state_dict(state, assign=True)
    return resnet.eval()
