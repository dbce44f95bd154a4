"""Fine-tuning DetNet on labelled hands, and its predictions for the evaluation images.

    python -m simhand.finetuning --settings '{"encoder": "resnet18", "epochs": 40}' --labelled FreiHAND_pub_v2 \
        --format freihand --initial-encoder encoder.pt --fraction 10 --seed 0 --model out/model.pt \
        --metrics out/training.jsonl --predictions out/predictions.parquet --checkpoints out/checkpoints

Images go in as RGB in -0.5..0.5, as DetNet has it, also on encoders that were pre-trained with ImageNet's mean and
deviation: so did the paper, and batch norm soon makes up for it. The same seed gives the same weights, bit for bit on a
CPU with the same number of threads, however often the run is interrupted.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from simhand.errors import TrainingError
from simhand.finetuning.detnet import DetNet
from simhand.finetuning.formats import READERS, Format
from simhand.finetuning.initial import initial_detnet
from simhand.finetuning.journal import Journal, Row
from simhand.finetuning.labelled import LabelledSet, share_of_labels
from simhand.finetuning.model_file import Card, write_model
from simhand.finetuning.objective import Losses, aligned_errors_mm, detnet_losses
from simhand.finetuning.predict import write_predictions
from simhand.finetuning.samples import Batches, HandDataset, on
from simhand.finetuning.settings import FinetuningSettings
from simhand.pretraining.checkpoint import Checkpoints
from simhand.pretraining.device import choose_device

log = logging.getLogger(__name__)

# What may change between two starts of the same run.
_FREE = {"device", "workers", "checkpoint_every_epochs"}
_DECAY = 0.1


@dataclass(frozen=True)
class Start:
    """What a run starts from."""

    labelled: Path  # the folder of the labelled set
    format: Format
    encoder: Path | None  # None: no pre-training
    percent: int  # of the training labels
    seed: int


@dataclass(frozen=True)
class Outputs:
    """Where a run writes. Until it has finished, its metrics lie with the checkpoints, which no rule declares."""

    model: Path  # {"state_dict": ..., "card": ...}
    metrics: Path  # JSON lines, one an epoch
    predictions: Path  # simhand.tables.PREDICTIONS
    checkpoints: Path  # a folder of this run alone


def finetune(settings: FinetuningSettings, start: Start, outputs: Outputs) -> None:
    """Trains to the end, from the run's own checkpoint if there is one, and predicts.

    Raises:
        LabelledSetError: the labelled set does not have its layout.
        WeightsError: the encoder is missing, damaged, or another network's.
        CheckpointError: the checkpoint there belongs to another configuration.
        TrainingError: a loss is not finite.
        ConfigError: a GPU is wanted and there is none.
    """
    device = choose_device(settings.device)
    hands = share_of_labels(READERS[start.format](start.labelled, "training"), start.percent, start.seed)
    unseen = READERS[start.format](start.labelled, "evaluation")
    log.info("%d images to learn from, %d to predict, on %s in %s", len(hands), len(unseen), device, settings.precision)

    model = initial_detnet(settings, start.encoder, start.seed)
    model = model.to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    card = _card(settings, start, hands)
    checkpoints = Checkpoints(outputs.checkpoints, card)  # whose steps are epochs here
    done = checkpoints.resume(model, optimiser)
    journal = Journal(outputs.checkpoints / "training.jsonl", done)

    dataset = HandDataset(hands, settings.image_size, start.seed if settings.augment else None)
    batches = Batches(dataset, settings.batch_size, settings.workers, shuffle_seed=start.seed)
    for epoch in range(done + 1, settings.epochs + 1):
        lr = settings.learning_rate * _DECAY ** ((epoch - 1) // settings.decay_every_epochs)
        for group in optimiser.param_groups:
            group["lr"] = lr
        journal.add({"epoch": epoch, **train_epoch(model, optimiser, batches, epoch, settings), "learning_rate": lr})
        if epoch % settings.checkpoint_every_epochs == 0 or epoch == settings.epochs:
            checkpoints.save(epoch, model, optimiser)

    write_predictions(model, unseen, settings, outputs.predictions)
    write_model(model, card, outputs.model)
    journal.publish(outputs.metrics)
    checkpoints.clear()  # before the journal, without which a checkpoint is of no use
    journal.path.unlink()


def train_epoch(
    model: DetNet, optimiser: torch.optim.Optimizer, batches: Batches, epoch: int, settings: FinetuningSettings
) -> Row:
    """One pass over the training images.

    Returns:
        Losses and error, means over the images as they were seen, and images per second.

    Raises:
        TrainingError: a loss is not finite.
    """
    device = next(model.parameters()).device
    model.train()
    started, images = time.perf_counter(), 0
    sums: defaultdict[str, float] = defaultdict(float)
    progress = tqdm(batches.epoch(epoch), f"epoch {epoch}", len(batches), leave=False, mininterval=10, disable=None)
    for batch in (on(batch, device) for batch in progress):
        with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
            output = model(batch.image)
        losses = detnet_losses(output, batch, settings)
        if not math.isfinite(losses.total.item()):
            raise _broken(losses, epoch)
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()

        images += len(batch.image)
        sums["mpjpe_mm"] += aligned_errors_mm(output.locations, batch).sum().item()
        for name, loss in zip(("heatmap_loss", "direction_loss", "location_loss", "loss"), losses, strict=True):
            sums[name] += loss.item() * len(batch.image)
    return {name: total / images for name, total in sums.items()} | {
        "images_per_s": images / (time.perf_counter() - started)
    }


def _card(settings: FinetuningSettings, start: Start, hands: LabelledSet) -> Card:
    """What makes a run this run."""
    return {
        **settings.model_dump(mode="json", exclude=_FREE),
        "seed": start.seed,
        "label_percent": start.percent,
        "sha256 of the initial encoder": start.encoder and hashlib.sha256(start.encoder.read_bytes()).hexdigest(),
        "content of the training labels": hands.fingerprint(),
    }


def _broken(losses: Losses, epoch: int) -> TrainingError:
    return TrainingError(
        "a loss is not finite",
        where=f"epoch {epoch}",
        expected="finite numbers",
        got=", ".join(f"{name} {loss.item()}" for name, loss in losses._asdict().items()),
        hint="lower learning_rate, or set precision to float32",
    )
