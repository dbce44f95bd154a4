"""Contrastive pre-training of a hand encoder: SimCLR, PeCLR, TempCLR and SiMHand in one loop.

    python -m simhand.pretraining --settings '{"method": "simhand", "pool": "ego-100k", "weighting": "linear"}' \
        --members members.parquet --neighbours neighbours/*.parquet --crops results/crops \
        --encoder out/encoder.pt --metrics out/metrics.jsonl --checkpoints out/checkpoints

A step takes N pairs of hands (`crops`), makes 2N random views of them (`augment`), embeds them (`encoder`), undoes the
views' geometry on the embeddings (`inverse`; not for SimCLR), and contrasts them (`weighted_nt_xent`, `weights`): all
that is in `step`. The same seed gives the same weights, bit for bit on a CPU, however often the run is interrupted.

Several processes (`processes`) share each batch by PyTorch's DistributedDataParallel. Lightning Fabric would be one
dependency more and hide three lines of this loop: what is special here, that the loss needs everybody's embeddings, it
does not take over.
"""

from __future__ import annotations

import logging
import math
import shutil
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from simhand.device import choose_device
from simhand.errors import TrainingError
from simhand.files import whole_file
from simhand.pretraining.card import RunFacts, training_code
from simhand.pretraining.checkpoint import Checkpoints, fingerprint
from simhand.pretraining.crops import Pair, Pairs
from simhand.pretraining.encoder import ContrastiveModel, build_model
from simhand.pretraining.initial import initial_path
from simhand.pretraining.journal import Journal
from simhand.pretraining.lars import LarsAdam, parameter_groups
from simhand.pretraining.launch import leave_signals_to_the_parent
from simhand.pretraining.official import official_state
from simhand.pretraining.order import Order, Plan
from simhand.pretraining.pair_sample import write_pair_sample
from simhand.pretraining.pool import data_digest, read_pool, read_positives
from simhand.pretraining.processes import Processes, joined
from simhand.pretraining.publish import publish
from simhand.pretraining.schedule import learning_rate
from simhand.pretraining.settings import PretrainingSettings
from simhand.pretraining.step import Step, batch_views
from simhand.pretraining.temporal import read_temporal_positives
from simhand.pretraining.training_model import gradient_norm

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outputs:
    """Where a run writes. Until it has finished, its metrics lie with the checkpoints, which no rule declares."""

    encoder: Path  # a torchvision ResNet's state_dict without fc; `publish` says what is written beside it
    metrics: Path  # JSON lines
    checkpoints: Path  # a folder of this run alone

    @property
    def pairs(self) -> Path:
        """Some pairs as the first step saw them."""
        return self.encoder.with_name("pairs.npz")

    @property
    def tensorboard(self) -> Path:
        """A folder of the metrics for TensorBoard."""
        return self.encoder.with_name("tensorboard")


@dataclass(frozen=True)
class _Data:
    """What a run trains on."""

    pairs: Pairs
    digest: str
    initial: Path | None  # the file of weights to start from


@dataclass(frozen=True)
class _Run:
    """All that the loop needs."""

    settings: PretrainingSettings
    plan: Plan
    processes: Processes
    model: ContrastiveModel
    optimiser: LarsAdam
    step: Step  # on the model as processes share it
    loader: DataLoader[Pair]
    first_step: int
    checkpoints: Checkpoints
    journal: Journal | None  # of the first process
    outputs: Outputs


def train(
    settings: PretrainingSettings,
    members_path: Path,
    neighbour_paths: list[Path],
    crops_folder: Path,
    outputs: Outputs,
    *,
    initial: Path | None = None,
    stop: Event | None = None,
) -> bool:
    """Trains to the end, from the run's own checkpoint if there is one.

    Args:
        settings: of the run.
        members_path: members.parquet of the pool.
        neighbour_paths: the pool's mined neighbours; read by SiMHand alone.
        crops_folder: holds {source}/{shard}.arrow.
        outputs: where to write.
        initial: where the weights to start from are, if they are those of another run.
        stop: once it is set, the run writes a checkpoint after the current step and returns.

    Returns:
        Whether the run has finished and its outputs are written.

    Raises:
        CheckpointError: the checkpoint there belongs to another configuration.
        TrainingError: a loss or a gradient is not finite.
        PoolError, TableError, WeightsError, ConfigError: an input is not what it should be.
    """
    code, device = training_code(), choose_device(settings.device)
    pool = read_pool(members_path, crops_folder, least=2 * settings.processes)
    positives = _positives(settings, members_path, neighbour_paths, len(pool))
    data = _Data(Pairs(pool, positives), data_digest(pool, positives), initial_path(settings, initial))
    identity = fingerprint(settings, data.digest, data.initial)
    checkpoints = Checkpoints(outputs.checkpoints, identity)
    with joined(settings.processes, device) as processes, checkpoints.alone() if processes.first else nullcontext():
        run = _prepare(settings, data, checkpoints, outputs, processes)
        with run.journal or nullcontext():
            finished = _train(run, stop or Event())
        if finished and processes.first:
            start = identity["content of initial"]
            _publish(run, RunFacts(settings, run.plan, pool, data.digest, start, device, code, outputs.metrics))
    return finished


def _positives(
    settings: PretrainingSettings, members_path: Path, neighbour_paths: list[Path], hands: int
) -> np.ndarray | None:
    """Each hand's positive, int64 (hands,); None where it is its own."""
    if settings.method == "simhand":
        return read_positives(neighbour_paths, settings.neighbour_rank, hands)
    return read_temporal_positives(members_path, settings.max_gap_s) if settings.method == "tempclr" else None


def _prepare(
    settings: PretrainingSettings, data: _Data, checkpoints: Checkpoints, outputs: Outputs, processes: Processes
) -> _Run:
    plan = Plan(len(data.pairs), settings.batch_size, settings.epochs, settings.warmup_epochs, processes.count)
    if processes.first:
        _announce(settings, plan, processes)
    torch.manual_seed(settings.seed)
    model = build_model(settings, data.initial).to(processes.device).to(memory_format=torch.channels_last)
    optimiser = LarsAdam(_groups(model, settings), lr=settings.learning_rate)
    processes.wait()  # until the first one is alone with the checkpoints
    first_step = checkpoints.resume(model, optimiser)
    metrics = outputs.checkpoints / outputs.metrics.name
    journal = Journal(metrics, outputs.tensorboard, first_step, plan.steps) if processes.first else None
    step = Step(_shared(model, settings, processes), settings, processes)
    loader = _loader(data.pairs, settings, plan, first_step, processes)
    return _Run(settings, plan, processes, model, optimiser, step, loader, first_step, checkpoints, journal, outputs)


def _groups(model: ContrastiveModel, settings: PretrainingSettings) -> list[dict[str, Any]]:
    """The optimiser's parameters, under the official names, by which the official code tells them apart."""
    encoder, projection = (dict(part.named_parameters()) for part in (model.encoder, model.projection))
    named = official_state(encoder, projection)
    return parameter_groups(named.items(), settings.weight_decay, by_name=settings.behaviour == "official")


def _shared(model: ContrastiveModel, settings: PretrainingSettings, processes: Processes) -> nn.Module:
    """The model as it is called in training; its weights stay those of `model`."""
    if settings.compile:
        model.compile()
    return processes.share(model, one_statistic=not settings.per_device_loss)


def _loader(
    pairs: Pairs, settings: PretrainingSettings, plan: Plan, first_step: int, processes: Processes
) -> DataLoader[Pair]:
    chances = torch.from_numpy(pairs.pool.equal_chances()) if settings.behaviour == "official" else None
    return DataLoader(
        pairs,
        batch_sampler=Order(plan, settings.seed, first_step, processes.own(plan.batch), chances),
        num_workers=settings.workers,
        worker_init_fn=leave_signals_to_the_parent,
        pin_memory=processes.device.type == "cuda",
    )


def _train(run: _Run, stop: Event) -> bool:
    """The loop; False if it was stopped before its end."""
    settings, plan, processes = run.settings, run.plan, run.processes
    run.model.train()
    batches = run.journal.timed(run.loader) if run.journal else run.loader
    for step, batch in enumerate(batches, run.first_step):
        rate = learning_rate(step, settings.learning_rate, plan.warmup_steps, plan.steps)
        for group in run.optimiser.param_groups:
            group["lr"] = rate
        views = batch_views(batch, settings, step, processes)
        if step == 0 and processes.first:
            write_pair_sample(views, batch.row, run.outputs.checkpoints / run.outputs.pairs.name)

        run.optimiser.zero_grad()
        share = run.step.backward(views)
        loss, norm, stopping = _agree(share, run.model, stop, processes)
        if not math.isfinite(loss + norm):
            raise _broken(loss, norm, step, processes.gather(batch.row.to(processes.device)), run.checkpoints)
        run.optimiser.step()

        done = step + 1
        if run.journal:
            values = {"epoch": step // plan.steps_per_epoch, "loss": loss, "learning_rate": rate}
            run.journal.record(done, 2 * plan.batch, {**values, "gradient_norm": norm})
            if stopping or done % settings.checkpoint_every_steps == 0 or done == plan.steps:
                run.checkpoints.save(done, run.model, run.optimiser)
        if stopping and processes.first:
            log.warning("stopped after step %d of %d; the next start goes on from there", done, plan.steps)
        if stopping:
            processes.wait()  # until the first one has written: where one node ends, Slurm ends the others
            return False
    return True


def _agree(share: Tensor, model: nn.Module, stop: Event, processes: Processes) -> tuple[float, float, bool]:
    """The loss of the whole batch, the gradient's length, and whether any process is to stop: alike in all of them.

    One exchange between processes and one wait for the device a step.
    """
    values = torch.stack([share, gradient_norm(model), torch.full_like(share, float(stop.is_set()))])
    loss, norm, stopping = (processes.sum(values) / processes.count).tolist()
    return loss, norm, stopping > 0


def _announce(settings: PretrainingSettings, plan: Plan, processes: Processes) -> None:
    text = "%s (weighting: %s) on %d hands, from %s weights: %d epochs of %d steps of %d pairs, on %s in %s"
    steps = (plan.epochs, plan.steps_per_epoch, plan.batch)
    where = f"{processes.count} x {processes.device.type}"
    log.info(text, settings.method, settings.weighting, plan.hands, settings.initial, *steps, where, settings.precision)
    if plan.batch < plan.wanted_batch:
        log.warning("the pool is smaller than batch_size %d: each step takes the whole pool", plan.wanted_batch)


def _broken(loss: float, norm: float, step: int, rows: Tensor, checkpoints: Checkpoints) -> TrainingError:
    good = checkpoints.latest() or "none yet"
    return TrainingError(
        "the loss or its gradient is not finite",
        where=f"step {step + 1}, rows {rows.tolist()} of the pool",
        expected="finite numbers",
        got=f"loss {loss}, gradient of length {norm}",
        hint=f"lower learning_rate, or set precision to float32; the last good checkpoint: {good}",
    )


def _publish(run: _Run, facts: RunFacts) -> None:
    """Brings metrics and pairs from beside the checkpoints to where they belong, and writes the encoder."""
    moved = [(run.outputs.checkpoints / path.name, path) for path in (run.outputs.metrics, run.outputs.pairs)]
    for source, path in moved:
        with whole_file(path) as temporary:
            shutil.copyfile(source, temporary)
    publish(run.model, facts, run.outputs.encoder)
    run.checkpoints.clear()
    for source, _ in moved:
        source.unlink()
