"""How long pre-training will take: measured here for what runs here, and assumed for GPUs."""

from __future__ import annotations

import time

import torch
import torchvision
from torch import nn

from simhand.pretraining.settings import PretrainingSettings

GPU_TFLOPS = (10.0, 60.0)
"""Assumed of a GPU of a data centre: floating-point operations a second that training reaches, in units of 10^12."""

# Multiplications and additions of one image of 224 px, forward, in units of 10^9, as torchvision publishes them.
_GFLOPS = {"resnet18": 1.81, "resnet34": 3.66, "resnet50": 4.09, "resnet101": 7.80, "resnet152": 11.51}
_MEASURED_S = 3.0
_STEPS = 5  # at least
_BATCH = {"cpu": 64, "cuda": 256}  # at most, of images
_VIEWS = 2  # of each pair
_SLOWEST_SHARE = 0.7  # of the rate of encoder alone: views, head and optimiser take the rest


def images(run: PretrainingSettings, hands: float) -> float:
    """That pass through the encoder in a run on so many hands."""
    return _VIEWS * hands * run.epochs


def tera_operations(run: PretrainingSettings) -> float:
    """For one image, forward and backward, in units of 10^12 floating-point operations."""
    return 3 * 2 * _GFLOPS[run.encoder] * (run.image_size / 224) ** 2 / 1e3


def assumed_gpu_s(run: PretrainingSettings) -> tuple[float, float]:
    """Seconds of a GPU for one image, at least and at most, by GPU_TFLOPS."""
    slow, fast = GPU_TFLOPS
    return tera_operations(run) / fast, tera_operations(run) / slow


def measured_s(run: PretrainingSettings) -> tuple[float, float]:
    """Seconds of this machine for one image, at least and at most, measured on the encoder for some seconds.

    The fastest of several steps counts: what else the machine does only makes them slower.
    """
    device = torch.device("cuda" if run.device != "cpu" and torch.cuda.is_available() else "cpu")
    with torch.random.fork_rng(devices=[]):
        encoder = torchvision.models.get_model(run.encoder, weights=None).to(device, memory_format=torch.channels_last)
        batch = torch.rand(
            min(_BATCH[device.type], _VIEWS * run.batch_size), 3, run.image_size, run.image_size, device=device
        )
    batch = batch.to(memory_format=torch.channels_last)
    steps: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < _MEASURED_S or len(steps) < _STEPS:
        begun = time.perf_counter()
        _step(encoder, batch, run.precision)
        steps.append(time.perf_counter() - begun)
    best = min(steps) / len(batch)
    return best, best / _SLOWEST_SHARE


def _step(encoder: nn.Module, batch: torch.Tensor, precision: str) -> None:
    with torch.autocast(batch.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        out = encoder(batch)
    out.float().sum().backward()
    if batch.device.type == "cuda":
        torch.cuda.synchronize(batch.device)
