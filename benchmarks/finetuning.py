"""Fine-tuning: what a step costs beyond the bare model, whether reading keeps up, and what cutting batches saves.

    python -m benchmarks.finetuning --encoder resnet50 --batch 32 --precision bfloat16 --workers 1
    python -m benchmarks.finetuning --device cuda --batch 128 --precision bfloat16 --workers 15

On a labelled set (by default the demo's) three things are run, as in `benchmarks.pretraining`:

* bare: forward and backward of the model on crops that are ready;
* step: crops of decoded images, forward, losses, errors, backward, optimiser;
* whole: the same, its images read and decoded by worker processes.

Then views of a batch are made as training does, and image by image with torchvision's functions.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision.transforms.v2 import functional as views

from benchmarks.measuring import device_name, peak_mb, ratio, seconds
from benchmarks.pretraining import whole
from simhand.device import choose_device
from simhand.finetuning.augment import View
from simhand.finetuning.crops import crop_affine
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.heads import HEADS
from simhand.finetuning.initial import initial_model
from simhand.finetuning.labelled import read_image
from simhand.finetuning.order import Order, Plan
from simhand.finetuning.predict import errors_mm
from simhand.finetuning.samples import HandImages, Part, collate, cut
from simhand.finetuning.settings import FinetuningSettings, ReadSettings
from simhand.pretraining.processes import Processes
from simhand.pretraining.training_model import gradient_norm


class Trainer:
    """What is timed: the parts of a run, with a batch that is ready."""

    def __init__(self, settings: FinetuningSettings, labelled: Path) -> None:
        self.settings, self.head = settings, HEADS[settings.head]
        self.processes = Processes(device=choose_device(settings.device))
        hands = read_freihand(labelled, "training", ReadSettings())
        self.dataset = HandImages(hands, settings.image_size, augment_seed=0)
        self.plan = Plan(len(hands), settings.batch_size, settings.epochs)
        model = initial_model(settings, None, 0).to(self.processes.device)
        self.model = model.to(memory_format=torch.channels_last).train()
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-4)
        self.ready = next(self.batches(workers=0))
        self.crops = cut(self.ready, settings.image_size, self.processes.device)

    def batches(self, workers: int) -> Iterator[Part]:
        """As a run reads them."""
        order = Order(self.plan, 0, 0, self.processes)
        pinned = self.processes.device.type == "cuda"
        return iter(
            DataLoader(self.dataset, batch_sampler=order, num_workers=workers, collate_fn=collate, pin_memory=pinned)
        )

    def bare(self) -> None:
        """The model alone."""
        self.optimiser.zero_grad()
        output = self._forward(self.crops.image)
        torch.stack([part.float().square().mean() for part in output if part.is_floating_point()]).sum().backward()

    def _forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with torch.autocast(self.processes.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            output: tuple[torch.Tensor, ...] = self.model(images)
        return output

    def step(self, parts: Part) -> None:
        """A whole step."""
        batch = cut(parts, self.settings.image_size, self.processes.device)
        output = self._forward(batch.image)
        losses = self.head.losses(output, batch, self.settings, self.processes)
        self.optimiser.zero_grad()
        losses["loss"].backward()
        with torch.no_grad():
            error_mm = errors_mm(self.head.predict(output, batch).locations, batch).mean()
        assert torch.stack([losses["loss"].detach(), error_mm, gradient_norm(self.model)]).isfinite().all()
        self.optimiser.step()

    def view_one_by_one(self) -> None:
        """The views of the batch that is ready, image by image; nothing smooths them."""
        for _, row in next(iter(Order(self.plan, 0, 0, self.processes))):
            plain_view(self._images[row], self.dataset.view(0, row), self.settings.image_size)

    def view_batch(self) -> None:
        """The same as training makes them, decoding aside."""
        cut(self.ready, self.settings.image_size, self.processes.device)

    def decode(self) -> None:
        """Decodes the images of the batch for `view_one_by_one`."""
        hands = self.dataset.hands
        rows = [row for _, row in next(iter(Order(self.plan, 0, 0, self.processes)))]
        self._images = {row: read_image(hands.root / str(hands.images[row])) for row in rows}


def plain_view(image: torch.Tensor, view: View, size: int) -> torch.Tensor:
    """One view by torchvision's functions of colour and PyTorch's of sampling."""
    affine = torch.from_numpy(crop_affine(view.center_px, view.side_px, view.rotation_rad, size))
    back = torch.linalg.inv(affine[:, :2])
    centres = torch.arange(size, dtype=torch.float64) + 0.5
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)
    grid = (grid - affine[:, 2]) @ back.T * 2 / torch.tensor([image.shape[2], image.shape[1]]) - 1
    crop = functional.grid_sample(image[None].float() / 255, grid[None].float(), align_corners=False)[0]
    for name, amount in view.colours:
        crop = getattr(views, f"adjust_{name}")(crop, amount)
    return crop


def main(settings: FinetuningSettings, labelled: Path, turns: int, steps: int) -> None:
    """Prints the figures."""
    trainer = Trainer(settings, labelled)
    device, images = trainer.processes.device, settings.batch_size
    print(f"{settings.head} on {settings.encoder}, {images} images, {settings.image_size} px, {settings.precision}:")
    print(device_name(device))
    trainer.decode()
    actions = {
        "bare": trainer.bare,
        "step": lambda: trainer.step(trainer.ready),
        "batch": trainer.view_batch,
        "single": trainer.view_one_by_one,
    }
    times: dict[str, list[float]] = {what: [] for what in actions}
    for turn in range(turns + 2):  # the first ones warm up
        for what, action in actions.items():
            taken = seconds(action, 1, device)
            if turn > 1:
                times[what].append(taken)
    workers = settings.workers
    fed = [
        (seconds(actions["step"], steps, device), *whole(trainer.batches(workers), trainer.step, steps, 2 * workers))
        for _ in range(3)
    ]
    ready, read, waiting = (list(column) for column in zip(*fed, strict=True))
    for what, each in {"bare": times["bare"], "step": times["step"], "whole": read}.items():
        typical = statistics.median(each)
        print(f"{what:>6}: {images / typical:8.1f} images/s, {1000 * typical / images:.3f} ms an image")
    print(f"step / bare: {ratio(times['step'], times['bare'])} of the time")
    print(f"whole / step: {ratio(ready, read)} of the rate; {100 * max(waiting):.1f} % of the time waiting at most")
    print(f"views one by one / in batches: {ratio(times['single'], times['batch'])} of the time, "
          f"{1000 * np.median(times['batch']) / images:.3f} ms an image in batches")  # fmt: skip
    print(f"peak memory: {peak_mb(device):,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labelled", type=Path, default=Path("demo/labelled"), help="in FreiHAND's layout")
    parser.add_argument("--head", default="detnet", choices=sorted(HEADS))
    parser.add_argument("--encoder", default="resnet50")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--precision", default="bfloat16", choices=["float32", "bfloat16"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--turns", type=int, default=10, help="of bare and step")
    parser.add_argument("--steps", type=int, default=6, help="in a turn of step and whole")
    args = parser.parse_args()
    of_run = FinetuningSettings(
        head=args.head, encoder=args.encoder, batch_size=args.batch, image_size=args.size, precision=args.precision,
        device=args.device, workers=args.workers, epochs=1000,
    )  # fmt: skip
    main(of_run, args.labelled, args.turns, args.steps)
