"""What the benchmarks of networks measure with."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import torch


def seconds(action: Callable[[], None], steps: int, device: torch.device) -> float:
    """Of one step, on the average over some."""
    started = time.perf_counter()
    for _ in range(steps):
        action()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / steps


def peak_mb(device: torch.device) -> float:
    """The most memory so far: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def device_name(device: torch.device) -> str:
    """For people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def ratio(over: list[float], under: list[float]) -> str:
    """The median over turns, and between which two quarters of them lie."""
    low, middle, high = np.percentile(np.array(over) / np.array(under), [25, 50, 75])
    return f"{middle:.3f} (quartiles {low:.3f} to {high:.3f})"
