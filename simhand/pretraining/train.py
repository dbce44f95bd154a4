"""Contrastive pre-training of a hand encoder: SimCLR, PeCLR and SiMHand in one loop.

    python -m simhand.pretraining --settings '{"method": "simhand", "pool": "ego-100k", "weighting": "linear"}' \
        --members members.parquet --neighbours neighbours/*.parquet --crops results/crops \
        --encoder out/encoder.pt --metrics out/metrics.jsonl --checkpoints out/checkpoints

A step takes N pairs of hands (`crops`), makes 2N random views of them (`augment`), embeds them (`encoder`), undoes the
views' geometry on the embeddings (`inverse`; not for SimCLR), and contrasts them (`nt_xent`, or `weighted_nt_xent` with
`weights`). The same seed gives the same weights, bit for bit on a CPU, however often the run is interrupted.
"""

from __future__ import annotations

import io
import logging
import math
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from tqdm import tqdm

from simhand.errors import TrainingError
from simhand.files import whole_file, write_json
from simhand.pretraining.augment import Views, draw, make_views
from simhand.pretraining.checkpoint import Checkpoints, fingerprint
from simhand.pretraining.crops import Pair, Pairs
from simhand.pretraining.device import choose_device
from simhand.pretraining.encoder import ContrastiveModel, build_model, encoder_state
from simhand.pretraining.inverse import undo_view
from simhand.pretraining.journal import Journal
from simhand.pretraining.lars import LarsAdam, parameter_groups
from simhand.pretraining.nt_xent import nt_xent
from simhand.pretraining.order import Order, Plan
from simhand.pretraining.pool import data_digest, read_pool, read_positives
from simhand.pretraining.randomness import generator
from simhand.pretraining.schedule import learning_rate
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
from simhand.pretraining.weights import adaptive_weights

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outputs:
    """Where a run writes. Until it has finished, its metrics lie with the checkpoints, which no rule declares."""

    encoder: Path  # a torchvision ResNet's state_dict without fc; card.json is written beside it
    metrics: Path  # JSON lines
    checkpoints: Path  # a folder of this run alone


def train(
    settings: PretrainingSettings,
    members_path: Path,
    neighbour_paths: list[Path],
    crops_folder: Path,
    outputs: Outputs,
    *,
    stop: Event | None = None,
) -> bool:
    """Trains to the end, from the run's own checkpoint if there is one.

    Args:
        settings: of the run.
        members_path: members.parquet of the pool.
        neighbour_paths: the pool's mined neighbours; read by SiMHand alone.
        crops_folder: holds {source}/{shard}.arrow.
        outputs: where to write.
        stop: once it is set, the run writes a checkpoint after the current step and returns.

    Returns:
        Whether the run has finished and its outputs are written.

    Raises:
        CheckpointError: the checkpoint there belongs to another configuration.
        TrainingError: a loss is not finite.
        PoolError, TableError, WeightsError, ConfigError: an input is not what it should be.
    """
    device = choose_device(settings.device)
    pool = read_pool(members_path, crops_folder)
    mined = settings.method == "simhand"
    positives = read_positives(neighbour_paths, settings.neighbour_rank, len(pool)) if mined else None
    plan = Plan(len(pool), settings.batch_size, settings.epochs, settings.warmup_epochs)
    _announce(settings, plan, device)

    torch.manual_seed(settings.seed)
    model = build_model(settings).to(device).to(memory_format=torch.channels_last)
    optimiser = LarsAdam(parameter_groups(model, settings.weight_decay), lr=settings.learning_rate)
    checkpoints = Checkpoints(outputs.checkpoints, fingerprint(settings, data_digest(pool, positives)))
    first_step = checkpoints.resume(model, optimiser)
    journal = Journal(outputs.checkpoints / "metrics.jsonl", first_step, plan.steps)

    loader = DataLoader(
        Pairs(pool, positives),
        batch_sampler=Order(plan, settings.seed, first_step),
        num_workers=settings.workers,
        worker_init_fn=_leave_signals_to_the_parent,
        pin_memory=device.type == "cuda",
    )
    model.train()
    batches = tqdm(loader, initial=first_step, total=plan.steps, unit="step", mininterval=10, disable=None)
    for step, batch in enumerate(journal.timed(batches), first_step):
        lr = learning_rate(step, settings.learning_rate, plan.warmup_steps, plan.steps)
        for group in optimiser.param_groups:
            group["lr"] = lr

        views = batch_views(batch, settings, step, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
            embeddings = model(views.images)  # (2N, d)
        loss = contrastive_loss(embeddings.float(), views, settings)
        loss_value = loss.item()
        if not math.isfinite(loss_value):
            raise _broken(loss_value, step, batch, outputs.checkpoints)

        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

        done, epoch = step + 1, step // plan.steps_per_epoch
        journal.record(done, len(views.images), {"epoch": epoch, "loss": loss_value, "learning_rate": lr})
        stopping = stop is not None and stop.is_set()
        if stopping or done % settings.checkpoint_every_steps == 0:
            checkpoints.save(done, model, optimiser)
        if stopping:
            log.warning("stopped after step %d of %d; the next start goes on from there", done, plan.steps)
            return False

    _publish(model, settings, plan, journal, outputs)
    checkpoints.clear()
    journal.path.unlink()
    return True


def batch_views(batch: Pair, settings: PretrainingSettings, step: int, device: torch.device) -> Views:
    """Two views of every pair: N of the hands, then N of their positives.

    Args:
        batch: uint8 crops (N, v, 3, S, S) and keypoints_px (N, v, 21, 2); v is 1 where a hand is its own positive.
        settings: of the run.
        step: seeds the views, together with the run's seed.
        device: where the views are made.
    """
    crops = batch.crops.to(device, non_blocking=True).expand(-1, 2, -1, -1, -1).transpose(0, 1).flatten(0, 1)
    keypoints_px = batch.keypoints_px.expand(-1, 2, -1, -1).transpose(0, 1).flatten(0, 1)  # (2N, 21, 2)
    random = generator(settings.seed, "views", step)
    draws = draw(len(crops), settings.augmentation, settings.method != "simclr", random)
    return make_views(crops, keypoints_px, draws, settings.image_size)


def contrastive_loss(embeddings: Tensor, views: Views, settings: PretrainingSettings) -> Tensor:
    """The run's loss on embeddings (2N, d) of N views and N views of their positives (paper Eq. 3)."""
    if settings.method == "simclr":
        embeddings = functional.normalize(embeddings, dim=1)
    else:
        embeddings = undo_view(embeddings, views.angle_deg, views.shift)
    first, second = embeddings.chunk(2)
    if settings.weighting == "none":
        return nt_xent(first, second, settings.temperature)
    keypoints = views.keypoints_px.chunk(2)
    positive, pairs = adaptive_weights(keypoints[0], keypoints[1], settings.weighting, settings.sigmoid_lambda)
    return weighted_nt_xent(first, second, positive, pairs, settings.temperature)


def _announce(settings: PretrainingSettings, plan: Plan, device: torch.device) -> None:
    text = "%s (weighting: %s) on %d hands: %d epochs of %d steps of %d pairs, on %s in %s"
    steps = (plan.epochs, plan.steps_per_epoch, plan.batch)
    log.info(text, settings.method, settings.weighting, plan.hands, *steps, device, settings.precision)
    if plan.batch < plan.wanted_batch:
        log.warning("the pool is smaller than batch_size %d: each step takes the whole pool", plan.wanted_batch)


def _leave_signals_to_the_parent(worker: int) -> None:
    """A cluster signals all processes of a job; the workers must outlive it until the training process has saved."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _broken(loss: float, step: int, batch: Pair, checkpoints: Path) -> TrainingError:
    return TrainingError(
        "the loss is not finite",
        where=f"step {step + 1}, rows {batch.row.tolist()} of the pool",
        expected="a finite number",
        got=loss,
        hint=f"lower learning_rate, or set precision to float32; metrics so far are in {checkpoints}",
    )


def _publish(
    model: ContrastiveModel, settings: PretrainingSettings, plan: Plan, journal: Journal, outputs: Outputs
) -> None:
    """Writes the encoder, its card and the metrics."""
    packed = io.BytesIO()  # torch.save to a path would put the temporary name into the file
    torch.save(encoder_state(model), packed)
    with whole_file(outputs.encoder) as temporary:
        temporary.write_bytes(packed.getbuffer())
    with whole_file(outputs.metrics) as temporary:
        shutil.copyfile(journal.path, temporary)
    card = {"settings": settings.model_dump(mode="json"), "hands": plan.hands, "steps": plan.steps}
    write_json({**card, "final_loss": journal.last()["loss"]}, outputs.encoder.with_name("card.json"))
