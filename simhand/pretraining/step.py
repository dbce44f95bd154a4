"""One step of training: two views of every pair, their embeddings, the loss, and its gradient on every weight."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from simhand.pretraining.augment import Draws, Views, draw, make_views
from simhand.pretraining.crops import Pair
from simhand.pretraining.inverse import undo_view
from simhand.pretraining.processes import ALONE, Processes
from simhand.pretraining.randomness import generator
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.training_model import kept_statistics
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
from simhand.pretraining.weights import adaptive_weights


def batch_views(batch: Pair, settings: PretrainingSettings, step: int, processes: Processes = ALONE) -> Views:
    """Two views of every pair of this process: n of the hands, then n of their positives.

    Args:
        batch: uint8 crops (n, v, 3, S, S) and keypoints_px (n, v, 21, 2); v is 1 where a hand is its own positive.
        settings: of the run.
        step: seeds the views, together with the run's seed.
        processes: that share the batch; a hand's views do not depend on their number. They are made on the device.
    """
    crops = batch.crops.to(processes.device, non_blocking=True).expand(-1, 2, -1, -1, -1).transpose(0, 1).flatten(0, 1)
    keypoints_px = batch.keypoints_px.expand(-1, 2, -1, -1).transpose(0, 1).flatten(0, 1)  # (2n, 21, 2)
    total = len(batch.row) * processes.count
    draws = draw(2 * total, settings, generator(settings.seed, "views", step))
    own = torch.arange(2 * total).view(2, total)[:, processes.own(total)].flatten()
    draws = Draws(*(getattr(draws, field.name)[own] for field in fields(draws)))
    return make_views(crops, keypoints_px, draws, settings.image_size, settings.behaviour)


def contrastive_loss(
    embeddings: Tensor, views: Views, settings: PretrainingSettings, processes: Processes = ALONE
) -> Tensor:
    """The run's loss (paper Eq. 3); with several processes this one's share of it, whose mean over them is the loss.

    Args:
        embeddings: (2n, d), float32, of n views and of n views of their positives.
        views: what they are embeddings of.
        settings: of the run.
        processes: that share the batch.
    """
    if settings.per_device_loss:
        processes = ALONE
    if settings.method == "simclr":
        embeddings = functional.normalize(embeddings, dim=1)
    else:
        embeddings = undo_view(embeddings, views.angle_deg, views.shift)
    first, second = embeddings.chunk(2)
    weights: tuple[Tensor | None, Tensor | None] = (None, None)
    if settings.weighting != "none":
        augmented = settings.weighted_keypoints == "augmented"
        keypoints = (views.keypoints_px if augmented else views.crop_keypoints_px).chunk(2)
        weights = adaptive_weights(keypoints[0], keypoints[1], settings, processes)
    everyone, start = processes.gather(embeddings), processes.rank * len(embeddings)
    return weighted_nt_xent(first, second, *weights, settings.temperature, everyone=everyone, start=start)


@dataclass(frozen=True)
class Step:
    """Computes gradients of a model, which several processes may share (DistributedDataParallel)."""

    model: nn.Module
    settings: PretrainingSettings
    processes: Processes = ALONE

    def backward(self, views: Views) -> Tensor:
        """Adds the loss's gradient to that of every weight.

        Args:
            views: 2n, of this process.

        Returns:
            The loss (this process's share of it), a scalar without gradient.
        """
        size = self.settings.micro_batch
        if size is None or 2 * size >= len(views.images):
            loss = contrastive_loss(self.embed(views.images), views, self.settings, self.processes)
            loss.backward()
            return loss.detach()
        parts = -(-len(views.images) // (2 * size))
        return self._backward_in_parts(views, views.images.tensor_split(parts))  # alike: batch norm needs several

    def _backward_in_parts(self, views: Views, parts: tuple[Tensor, ...]) -> Tensor:
        """GradCache (Gao et al. 2021): the loss of the whole batch, with the memory of one part's activations.

        All parts are embedded without gradient; the loss gives a gradient for each embedding; then each part is
        embedded again and takes its own. With live batch norm the statistics are those of a part, in both passes alike.
        """
        with torch.no_grad(), kept_statistics(self.model):
            embeddings = torch.cat([self.embed(part) for part in parts])
        embeddings.requires_grad_()
        loss = contrastive_loss(embeddings, views, self.settings, self.processes)
        (slopes,) = torch.autograd.grad(loss, embeddings)
        for number, (part, slope) in enumerate(zip(parts, slopes.tensor_split(len(parts)), strict=True), start=1):
            with nullcontext() if number == len(parts) else self._unshared():
                self.embed(part).backward(slope)
        return loss.detach()

    def embed(self, images: Tensor) -> Tensor:
        """Images (m, 3, s, s) to (m, d), of the images' type whatever the precision."""
        with torch.autocast(self.processes.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            embeddings: Tensor = self.model(images)
        return embeddings.to(images.dtype)

    def _unshared(self) -> AbstractContextManager[None]:
        """Gradients are averaged over the processes once a step, not after each part."""
        return self.model.no_sync() if isinstance(self.model, DistributedDataParallel) else nullcontext()
