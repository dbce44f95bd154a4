"""Fine-tuning on labelled hands, and predictions for the evaluation images.

    python -m simhand.finetuning --settings '{"encoder": "resnet18", "epochs": 40}' --labelled FreiHAND_pub_v2 \
        --format freihand --initial-encoder encoder.pt --fraction 10 --seed 0 --model out/model.pt \
        --metrics out/training.jsonl --predictions out/predictions.parquet --checkpoints out/checkpoints

A step takes B images (`samples`), asks the model (`heads`) and makes the head's loss smaller. Images go in as RGB in
-0.5..0.5, as DetNet has it, also on encoders that were pre-trained with ImageNet's mean and deviation: so did the
paper, and batch norm soon makes up for it. The same seed gives the same weights, bit for bit on a CPU with the same
number of threads, however often the run is interrupted. Several processes share each batch by PyTorch's
DistributedDataParallel.
"""

from __future__ import annotations

import logging
import math
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import get_args

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from simhand.device import choose_device
from simhand.errors import TrainingError
from simhand.files import whole_file
from simhand.finetuning.formats import READERS, Format
from simhand.finetuning.heads import HEADS
from simhand.finetuning.held_out import hold_out
from simhand.finetuning.initial import initial_model
from simhand.finetuning.journal import Journal
from simhand.finetuning.labelled import LabelledSet, Split, share_of_labels
from simhand.finetuning.model_file import Card, Labels, run_card, write_model
from simhand.finetuning.order import Order, Plan
from simhand.finetuning.predict import (
    dataset_of,
    errors_mm,
    mean_error_mm,
    see,
    see_unaided,
    square_sides_px,
    write_predictions,
)
from simhand.finetuning.samples import HandImages, Part, Sample, collate, cut
from simhand.finetuning.settings import FinetuningSettings, ReadSettings
from simhand.finetuning.tally import Best, Tally
from simhand.pretraining.checkpoint import Checkpoints
from simhand.pretraining.launch import leave_signals_to_the_parent
from simhand.pretraining.processes import Processes, joined
from simhand.pretraining.training_model import gradient_norm
from simhand.state_file import read_state
from simhand.unit_hands import mean_locations

log = logging.getLogger(__name__)

_DECAY = 0.1
_BESTS = "best_*.pt"


@dataclass(frozen=True)
class Start:
    """What a run starts from."""

    labelled: Path  # the folder of the labelled set
    format: Format
    encoder: Path | None  # None: no pre-training
    percent: int  # of the training labels
    seed: int
    read: ReadSettings = field(default_factory=ReadSettings)  # how the set is read


@dataclass(frozen=True)
class Outputs:
    """Where a run writes. Until it has finished, its metrics lie with the checkpoints, which no rule declares."""

    model: Path  # {"state_dict": ..., "card": ...}
    metrics: Path  # JSON lines, one an epoch
    predictions: Path  # simhand.tables.PREDICTIONS
    checkpoints: Path  # a folder of this run alone


@dataclass(frozen=True)
class _Run:
    """All that the loop needs."""

    settings: FinetuningSettings
    plan: Plan
    processes: Processes
    model: nn.Module
    shared: nn.Module  # the model as processes share it
    optimiser: torch.optim.Optimizer
    loader: DataLoader[Part]
    held_out: HandImages | None
    first_step: int
    checkpoints: Checkpoints
    tally: Tally
    best: Best
    journal: Journal


def finetune(settings: FinetuningSettings, start: Start, outputs: Outputs, *, stop: Event | None = None) -> bool:
    """Trains to the end, from the run's own checkpoint if there is one, and predicts.

    Args:
        settings: of the run.
        start: what it starts from.
        outputs: where to write.
        stop: once it is set, the run writes a checkpoint after the current step and returns.

    Returns:
        Whether the run has finished and its outputs are written.

    Raises:
        LabelledSetError: the labelled set does not have its layout, or too few images for a step.
        WeightsError: the encoder is missing, damaged, or another network's.
        CheckpointError: the checkpoint there belongs to another configuration.
        TrainingError: a loss or a gradient is not finite.
        ConfigError: a GPU is wanted and there is none.
    """
    device = choose_device(settings.device)
    read = start.read.model_copy(update={"behaviour": settings.behaviour})
    hands, unseen = (READERS[start.format](start.labelled, split, read) for split in get_args(Split))
    if settings.evaluation_crops == "peclr":
        square_sides_px(unseen)  # told before training, not after it
    hands = share_of_labels(hands, start.percent, start.seed, first=settings.behaviour == "official")
    card = run_card(settings, Labels(hands, start.format, start.percent, start.seed), start.encoder)
    checkpoints = Checkpoints(outputs.checkpoints, card)  # whose steps are those of the run
    with joined(settings.processes, device) as processes, checkpoints.alone() if processes.first else nullcontext():
        run = _prepare(settings, start, hands, checkpoints, processes)
        log.info("%d images to learn from, %d to predict", run.plan.hands, len(unseen))
        with run.journal:
            finished = _train(run, stop or Event())
        if not finished:
            return False
        look = see_unaided if settings.evaluation_crops == "peclr" else see
        seen = look(run.model, dataset_of(unseen, settings, None, inverted=_inverted(start)), settings, processes)
        if processes.first:
            write_predictions(seen, unseen, mean_locations(hands.joints_mm, hands.seen), outputs.predictions)
            _publish(run, card, outputs)
        processes.wait()
    return True


def _inverted(start: Start) -> bool:
    """Whether the official loader inverts the colours of the set (spec: section 10)."""
    return start.format == "freihand"


def _prepare(
    settings: FinetuningSettings, start: Start, hands: LabelledSet, checkpoints: Checkpoints, processes: Processes
) -> _Run:
    held_out = None
    if settings.patience_epochs is not None:
        hands, kept = hold_out(hands, settings.held_out_percent, start.seed)
        held_out = dataset_of(kept, settings, None, inverted=_inverted(start))
    plan = Plan(len(hands), settings.batch_size, settings.epochs, processes.count)
    model = initial_model(settings, start.encoder, start.seed)
    model = model.to(processes.device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    tally, best = Tally(), Best()
    processes.wait()  # until the first one is alone with the checkpoints
    first_step = checkpoints.resume(model, optimiser, tally=tally, best=best)
    dataset = dataset_of(hands, settings, start.seed if settings.augment else None, inverted=_inverted(start))
    journal = Journal(checkpoints.folder / "training.jsonl", first_step, plan, processes)
    return _Run(
        settings,
        plan,
        processes,
        model,
        processes.share(model),
        optimiser,
        _loader(dataset, settings, Order(plan, start.seed, first_step, processes), processes),
        held_out,
        first_step,
        checkpoints,
        tally,
        best,
        journal,
    )


def _loader(dataset: HandImages, settings: FinetuningSettings, order: Order, processes: Processes) -> DataLoader[Part]:
    return DataLoader(
        dataset,
        batch_sampler=order,
        num_workers=settings.workers,
        collate_fn=collate,
        worker_init_fn=leave_signals_to_the_parent,
        pin_memory=processes.device.type == "cuda",
    )


def _train(run: _Run, stop: Event) -> bool:
    """The loop; False if it was stopped before its end."""
    batches = iter(run.loader)
    for step in range(run.first_step, run.plan.steps):
        epoch = step // run.plan.steps_per_epoch
        if _is_over(run, epoch):
            break
        batch = cut(next(batches), run.settings.image_size, run.processes.device)
        rate = run.settings.learning_rate * _DECAY ** (epoch // run.settings.decay_every_epochs)
        for group in run.optimiser.param_groups:
            group["lr"] = rate
        stopping = _step(run, batch, step, stop)
        done = step + 1
        if done % run.plan.steps_per_epoch == 0:
            _end_epoch(run, epoch + 1, rate)
        if stopping or _is_saved(run, done):
            _save(run, done)
        if stopping:
            run.processes.wait()  # until the first one has written: where one node ends, Slurm ends the others
            log.warning("stopped after step %d of %d; the next start goes on from there", done, run.plan.steps)
            return False
    if run.held_out is not None:
        run.processes.wait()  # until the first one has written them
        run.model.load_state_dict(read_state(_best_path(run)))
        log.info("the weights of epoch %d, of %.2f mm on held-out labels", run.best.epoch, run.best.error_mm)
    return True


def _best_path(run: _Run) -> Path:
    """The weights of the best epoch so far."""
    return run.checkpoints.folder / f"best_{run.best.epoch:06d}.pt"


def _step(run: _Run, batch: Sample, step: int, stop: Event) -> bool:
    """One step of the optimiser; whether any process was told to stop."""
    run.model.train()
    with torch.autocast(run.processes.device.type, torch.bfloat16, enabled=run.settings.precision == "bfloat16"):
        output = run.shared(batch.image)
    head = HEADS[run.settings.head]
    losses = _with_l2(head.losses(output, batch, run.settings, run.processes), run)
    run.optimiser.zero_grad()
    losses["loss"].backward()
    run.model.eval()  # what is asked for the metric changes no statistics
    with torch.no_grad():
        errors = errors_mm(head.predict(output, batch).locations, batch)
    stopping, images, error_mm, norm, *parts = _agreed(losses, errors.sum(), batch, run, stop)
    values = dict(zip(losses, parts, strict=True))
    if not math.isfinite(values["loss"] + norm):
        raise _broken(values, norm, step, run)
    run.optimiser.step()
    run.tally.add(images, {"mpjpe_mm": error_mm / images, **values})
    run.journal.step(images, values["loss"])
    return stopping > 0


def _agreed(losses: dict[str, Tensor], error_mm: Tensor, batch: Sample, run: _Run, stop: Event) -> list[float]:
    """How many processes are to stop, images and sum of errors of all; then the gradient's length, and the losses.

    One exchange between processes, besides those of losses and gradients, and one wait for the device a step.
    """
    own = [error_mm.new_tensor([float(stop.is_set()), len(batch.image)]), error_mm[None]]
    everybody = run.processes.sum(torch.cat(own))
    alike = torch.stack([gradient_norm(run.model), *losses.values()]).detach()
    return [*torch.cat([everybody, alike.to(everybody.dtype)]).tolist()]


def _with_l2(losses: dict[str, Tensor], run: _Run) -> dict[str, Tensor]:
    """Adds L_reg of the paper's Eq. 5 to the loss."""
    if run.settings.l2_weight == 0:
        return losses
    l2 = torch.stack([parameter.square().sum() for parameter in run.model.parameters()]).sum()
    return {**losses, "l2_loss": l2, "loss": losses["loss"] + run.settings.l2_weight * l2}


def _end_epoch(run: _Run, epoch: int, rate: float) -> None:
    """Notes an epoch, `epoch` of them being done; and whether it is the best on held-out labels."""
    row = {"epoch": epoch, **run.tally.take(), "learning_rate": rate}
    if run.held_out is not None:
        seen = see(run.model, run.held_out, run.settings, run.processes)
        row["held_out_mpjpe_mm"] = mean_error_mm(seen, run.held_out.hands)
        if run.best.better(row["held_out_mpjpe_mm"], epoch) and run.processes.first:
            with whole_file(_best_path(run)) as temporary:
                torch.save(run.model.state_dict(), temporary)
    run.journal.add(row)


def _is_over(run: _Run, epochs: int) -> bool:
    """Whether training ends early, so many epochs being done."""
    patience = run.settings.patience_epochs
    return patience is not None and epochs - run.best.epoch >= patience


def _is_saved(run: _Run, done: int) -> bool:
    """Whether a checkpoint is due after so many steps."""
    epochs, rest = divmod(done, run.plan.steps_per_epoch)
    return rest == 0 and (epochs % run.settings.checkpoint_every_epochs == 0 or done == run.plan.steps)


def _save(run: _Run, done: int) -> None:
    if run.processes.first:
        run.checkpoints.save(done, run.model, run.optimiser, tally=run.tally, best=run.best)
        for path in set(run.checkpoints.folder.glob(_BESTS)) - {_best_path(run)}:
            path.unlink()  # now that no checkpoint to go on from needs it


def _publish(run: _Run, card: Card, outputs: Outputs) -> None:
    """Writes the model and brings the metrics from beside the checkpoints to where they belong."""
    write_model(run.model, card, outputs.model)
    run.journal.publish(outputs.metrics)
    run.checkpoints.clear()  # before the journal, without which a checkpoint is of no use
    for path in run.checkpoints.folder.glob(_BESTS):
        path.unlink()
    run.journal.path.unlink()


def _broken(losses: dict[str, float], norm: float, step: int, run: _Run) -> TrainingError:
    return TrainingError(
        "the loss or its gradient is not finite",
        where=f"epoch {step // run.plan.steps_per_epoch + 1}, step {step + 1}",
        expected="finite numbers",
        got=", ".join(f"{name} {loss}" for name, loss in {**losses, "length of the gradient": norm}.items()),
        hint="lower learning_rate, or set precision to float32; "
        f"the last good checkpoint: {run.checkpoints.latest() or 'none yet'}",
    )
