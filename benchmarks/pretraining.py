"""Pre-training: what a step costs beyond the bare encoder, whether reading crops keeps up, and how busy the device is.

    python -m benchmarks.pretraining --encoder resnet50 --batch 32 --precision bfloat16 --workers 1
    python -m benchmarks.pretraining --device cuda --batch 1024 --precision bfloat16 --workers 15

On a made-up pool of JPEG crops of 224 px three things are run:

* bare: the encoder's forward and backward on views that are ready;
* step: views of crops that are ready, embeddings, latent inverse, adaptive weights, loss, backward, optimiser;
* whole: the same as `step`, its crops read from the memory-mapped store and decoded by worker processes.

bare and step take turns, a step each; then step and whole, some steps each, with workers alive for the latter alone.
Printed are images per second, the medians over all turns of step / bare (time) and whole / step (rate), the share of
time waiting for data, peak memory, and the model-FLOP use: the encoder's FLOPs a second against what a large matrix
product reaches here.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode
from torchvision.io import encode_jpeg

from benchmarks.measuring import device_name, peak_mb, ratio, seconds
from benchmarks.stores import write_store
from simhand.device import choose_device
from simhand.pretraining.crops import Pair, Pairs
from simhand.pretraining.encoder import build_model
from simhand.pretraining.lars import LarsAdam, parameter_groups
from simhand.pretraining.order import Order, Plan
from simhand.pretraining.pool import Pool
from simhand.pretraining.processes import Processes
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.step import Step, batch_views, contrastive_loss
from simhand.pretraining.training_model import gradient_norm

SIDE = 224
T = TypeVar("T")


def made_up_pool(folder: Path, hands: int) -> Pool:
    """Smooth coloured noise as JPEG, about as large as real crops, and keypoints within it."""
    random = torch.Generator().manual_seed(0)
    noise = torch.rand(64, 3, 14, 14, generator=random)
    images = torch.nn.functional.interpolate(noise, size=(SIDE, SIDE), mode="bicubic").clamp(0, 1)
    images = (255 * images + 6 * torch.randn(images.shape, generator=random)).clamp(0, 255).to(torch.uint8)
    jpegs = [encode_jpeg(image, quality=95).numpy().tobytes() for image in images]
    keypoints = 0.2 + 0.6 * np.random.default_rng(0).random((hands, 21, 2), dtype=np.float32)
    return write_store(folder, [jpegs[row % len(jpegs)] for row in range(hands)], keypoints)


class Trainer:
    """What is timed: the parts of a run, with a batch that is ready."""

    def __init__(self, settings: PretrainingSettings, pool: Pool) -> None:
        self.settings, self.plan = settings, Plan(len(pool), settings.batch_size, settings.epochs, 0)
        self.processes = Processes(device=choose_device(settings.device))
        self.model = build_model(settings).to(self.processes.device).to(memory_format=torch.channels_last).train()
        if settings.compile:
            self.model.compile()
            self.model.encoder.compile()  # for `bare`, which calls it by itself
        self.optimiser = LarsAdam(parameter_groups(self.model.named_parameters(), settings.weight_decay), lr=1e-4)
        self.pairs = Pairs(pool, np.random.default_rng(1).permutation(len(pool)))
        self.ready = next(self.batches(workers=0))
        self.images = batch_views(self.ready, settings, 0, self.processes).images

    def batches(self, workers: int) -> Iterator[Pair]:
        """From the store, as a run reads them."""
        pinned = self.processes.device.type == "cuda"
        return iter(
            DataLoader(self.pairs, batch_sampler=Order(self.plan, 0, 0), num_workers=workers, pin_memory=pinned)
        )

    def bare(self) -> None:
        """The encoder alone, in as many parts as a step takes."""
        self.optimiser.zero_grad()
        for images in self.images.split(2 * (self.settings.micro_batch or self.settings.batch_size)):
            self._bare_part(images)

    def _bare_part(self, images: torch.Tensor) -> None:
        with torch.autocast(self.processes.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            features = self.model.encoder(images)
        features.float().square().mean().backward()

    def step(self, batch: Pair) -> None:
        """A whole step."""
        views = batch_views(batch, self.settings, 0, self.processes)
        self.optimiser.zero_grad()
        loss = Step(self.model, self.settings, self.processes).backward(views)
        assert torch.stack([loss, gradient_norm(self.model)]).isfinite().all()
        self.optimiser.step()


def parts(trainer: Trainer, turns: int) -> dict[str, float]:
    """Seconds of the parts of a step without micro-batches, medians."""
    settings, processes = trainer.settings, trainer.processes
    found: dict[str, list[float]] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = action()
        if processes.device.type == "cuda":
            torch.cuda.synchronize()
        found.setdefault(name, []).append(time.perf_counter() - started)
        return result

    step = Step(trainer.model, settings, processes)
    for _ in range(turns):
        views = timed("views", lambda: batch_views(trainer.ready, settings, 0, processes))
        trainer.optimiser.zero_grad()
        embeddings = timed("forward", lambda: step.embed(views.images))  # noqa: B023 - called at once
        loss = timed("loss", lambda: contrastive_loss(embeddings, views, settings, processes))  # noqa: B023
        timed("backward", loss.backward)
        timed("optimiser", trainer.optimiser.step)
    return {name: statistics.median(each) for name, each in found.items()}


def whole(batches: Iterator[T], step: Callable[[T], None], steps: int, ahead: int) -> tuple[float, float]:
    """Seconds a step with batches from the disk, and the share of them that is spent waiting for them.

    Args:
        batches: as a run reads them.
        step: what is done with one.
        steps: how many are timed.
        ahead: batches that may have been read before the first was asked for; these are not timed.
    """
    for _ in range(ahead + 1):
        step(next(batches))
    waited_s, started = 0.0, time.perf_counter()
    for _ in range(steps):
        before = time.perf_counter()
        batch = next(batches)
        waited_s += time.perf_counter() - before
        step(batch)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    taken = time.perf_counter() - started
    return taken / steps, waited_s / taken


def peak_flops(device: torch.device, precision: str) -> float:
    """What a product of large matrices reaches, FLOPs a second."""
    size = 8192 if device.type == "cuda" else 2048
    matrix = torch.randn(size, size, device=device, dtype=getattr(torch, precision))
    seconds(lambda: torch.mm(matrix, matrix, out=torch.empty_like(matrix)), 3, device)
    return 2 * size**3 / min(seconds(lambda: torch.mm(matrix, matrix), 5, device) for _ in range(5))


def main(settings: PretrainingSettings, turns: int, steps: int) -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(settings, made_up_pool(Path(folder), 32 * settings.batch_size))
        device, images = trainer.processes.device, len(trainer.images)
        print(f"{settings.encoder}, {settings.batch_size} pairs, {settings.image_size} px, {settings.precision}:")
        print(device_name(device))
        with FlopCounterMode(display=False) as counter:
            trainer.bare()
        limit = peak_flops(device, settings.precision)
        actions = {"bare": trainer.bare, "step": lambda: trainer.step(trainer.ready)}
        times: dict[str, list[float]] = {"bare": [], "step": []}
        for turn in range(turns + 2):  # the first ones warm up
            for what, action in actions.items():
                taken = seconds(action, 1, device)
                if turn > 1:
                    times[what].append(taken)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()  # of whole steps alone; a process cannot forget its own
        workers = settings.workers
        fed = [
            (
                seconds(actions["step"], steps, device),
                *whole(trainer.batches(workers), trainer.step, steps, 2 * workers),
            )
            for _ in range(3)
        ]
        ready, read, waiting = (list(column) for column in zip(*fed, strict=True))
        for what, taken in {**times, "whole": read}.items():
            typical = statistics.median(taken)
            print(f"{what:>6}: {images / typical:8.1f} images/s, {1000 * typical / images:.3f} ms an image")
        print(f"step / bare: {ratio(times['step'], times['bare'])} of the time")
        print(f"whole / step: {ratio(ready, read)} of the rate; {100 * max(waiting):.1f} % of the time waiting at most")
        if settings.micro_batch is None:
            inside = parts(trainer, turns).items()
            print("ms an image: " + ", ".join(f"{name} {1000 * taken / images:.3f}" for name, taken in inside))
        flops = counter.get_total_flops() / statistics.median(times["step"])
        print(f"model-FLOP use: {flops / limit:.2f}, {flops / 1e12:.2f} of {limit / 1e12:.2f} TFLOP/s")
        print(f"peak memory: {peak_mb(device):,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="resnet50")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--micro-batch", type=int)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--turns", type=int, default=15, help="of bare and step")
    parser.add_argument("--steps", type=int, default=6, help="in a turn of step and whole")
    args = parser.parse_args()
    of_run = PretrainingSettings(
        method="simhand", pool="made-up", weighting="linear", encoder=args.encoder, batch_size=args.batch,
        image_size=args.size, precision=args.precision, device=args.device, workers=args.workers,
        micro_batch=args.micro_batch, compile=args.compile, epochs=1000,
    )  # fmt: skip
    main(of_run, args.turns, args.steps)
