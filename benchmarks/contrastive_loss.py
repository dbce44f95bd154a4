"""The weighted loss, forward and backward, weights included: against its formula written plainly, and its memory.

    python -m benchmarks.contrastive_loss                    # on a CPU: 2,048 pairs; memory of 8,192
    python -m benchmarks.contrastive_loss --device cuda

The plain form is that of the official code (spec section 6): the distances of all hands from all hands by broadcasting
their keypoints, 2N x 2N x 21 x 2, and two matrices of exponentials. Both start from the same embeddings and keypoints.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
from simhand.pretraining.weights import adaptive_weights

TEMPERATURE = 0.5
DIM = 128
SETTINGS = PretrainingSettings(method="simhand", pool="made-up", weighting="linear", behaviour="official")
Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def made_up(pairs: int, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Projections (N, 128) twice, which take gradients, and keypoints (N, 21, 2) twice."""
    random = torch.Generator().manual_seed(0)
    keypoints = torch.rand(pairs, 21, 2, generator=random) * 128
    near = keypoints + torch.randn(pairs, 21, 2, generator=random) * torch.rand(pairs, 1, 1, generator=random) * 20
    first, second = (torch.randn(pairs, DIM, generator=random).to(device).requires_grad_() for _ in range(2))
    return first, second, keypoints.to(device), near.to(device)


def own(
    first: Tensor, second: Tensor, keypoints: Tensor, near: Tensor, settings: PretrainingSettings = SETTINGS
) -> Tensor:
    """This project's."""
    positive, pairs = adaptive_weights(keypoints, near, settings)
    return weighted_nt_xent(normalize(first, dim=1), normalize(second, dim=1), positive, pairs, TEMPERATURE)


def plain(first: Tensor, second: Tensor, keypoints: Tensor, near: Tensor) -> Tensor:
    """The formula as it stands."""
    embeddings = torch.cat([normalize(first, dim=1), normalize(second, dim=1)])
    hands = torch.cat([keypoints, near])
    distances = (hands[:, None] - hands[None]).norm(dim=-1).mean(dim=-1)  # (2N, 2N) out of (2N, 2N, 21, 2)
    weights = (distances.max() - distances) / (distances.max() - distances.min())
    of_pairs = (keypoints - near).norm(dim=-1).mean(dim=-1)
    positive = (of_pairs.max() - of_pairs) / (of_pairs.max() - of_pairs.min())
    similarity = embeddings @ embeddings.T
    others = ~torch.eye(len(embeddings), dtype=torch.bool, device=embeddings.device)
    below = torch.exp(weights * similarity / TEMPERATURE).masked_select(others).view(len(embeddings), -1).sum(dim=1)
    attraction = (normalize(first, dim=1) * normalize(second, dim=1)).sum(dim=1)
    above = torch.exp(torch.cat([positive, positive]) * torch.cat([attraction, attraction]) / TEMPERATURE)
    return -torch.log(above / below).mean()


def timed(loss: Loss, pairs: int, device: str) -> tuple[float, float, Tensor]:
    """Seconds, value, and gradient of the first projections."""
    inputs = made_up(pairs, device)
    _wait(device)
    started = time.perf_counter()
    value = loss(*inputs)
    value.backward()
    _wait(device)
    assert inputs[0].grad is not None
    return time.perf_counter() - started, value.item(), inputs[0].grad


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def peak_mb(pairs: int, device: str, weighting: str) -> float:
    """What the loss takes beyond its inputs and what was there before it; run in a process of its own."""
    inputs = made_up(pairs, device)
    settings = PretrainingSettings.model_validate({"method": "simhand", "pool": "made-up", "weighting": weighting})
    own(*made_up(4, device), settings).backward()  # the library's own memory comes first
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        own(*inputs, settings).backward()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before = _peak_kb()
    own(*inputs, settings).backward()
    return (_peak_kb() - before) / 2**10


def _peak_kb() -> int:
    """Of this process; getrusage tells the parent's where that was larger."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]


def main(pairs: int, large: int, rounds: int, device: str) -> None:
    """Prints times, their ratio, how far the values differ, and the peak of the large batch."""
    seconds: dict[str, list[float]] = {"own": [], "plain": []}
    results = {}
    for _ in range(rounds + 1):  # the first one warms up
        for name, loss in (("own", own), ("plain", plain)):
            taken, value, slope = timed(loss, pairs, device)
            seconds[name].append(taken)
            results[name] = (value, slope)
    times = {name: statistics.median(each[1:]) for name, each in seconds.items()}
    print(f"{pairs:,} pairs on {device}: {times['own']:.3f} s, plainly {times['plain']:.3f} s,"
          f" {times['plain'] / times['own']:.1f} times as fast")  # fmt: skip
    (value, slope), (other, other_slope) = results["own"], results["plain"]
    off = ((slope - other_slope).norm() / other_slope.norm()).item()
    print(f"losses {value:.6f} and {other:.6f}; gradients differ by {off:.1e} of their length")
    for weighting in ("linear", "sigmoid"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            peak = apart.submit(peak_mb, large, device, weighting).result()
        print(f"{large:,} pairs, {weighting} weights: {peak:,.0f} MB beyond the inputs")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2048)
    parser.add_argument("--large", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    main(args.pairs, args.large, args.rounds, args.device)
