"""Whole runs on a made-up pool: they learn, repeat, survive being killed, and refuse what is not theirs."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pyarrow as pa
import pytest
import torch
import torchvision
from torch.nn.functional import normalize

from simhand.errors import CheckpointError, ConfigError, PoolError, TrainingError
from simhand.files import read_parquet, write_parquet
from simhand.pretraining.__main__ import main
from simhand.pretraining.crops import Pair
from simhand.pretraining.inverse import undo_view
from simhand.pretraining.settings import EXECUTION, PretrainingSettings
from simhand.pretraining.step import batch_views, contrastive_loss
from simhand.pretraining.train import Outputs, train
from simhand.pretraining.weighted_nt_xent import weighted_nt_xent
from simhand.pretraining.weights import adaptive_weights
from simhand.tables import NEIGHBOURS

if TYPE_CHECKING:
    from .conftest import MadeUpPool

MakeSettings = Callable[..., PretrainingSettings]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As many threads as the processes started here, so that sums are taken in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def outputs_in(folder: Path) -> Outputs:
    return Outputs(folder / "encoder.pt", folder / "metrics.jsonl", folder / "checkpoints")


def run(settings: PretrainingSettings, pool: MadeUpPool, outputs: Outputs, stop: Event | None = None) -> bool:
    return train(settings, pool.members, pool.neighbours, pool.crops, outputs, stop=stop)


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def same_course(one: Path, other: Path) -> bool:
    """Whether two runs had the same losses and learning rates in the same steps."""
    keys = ("step", "epoch", "loss", "learning_rate")
    return [[line[key] for key in keys] for line in lines(one)] == [
        [line[key] for key in keys] for line in lines(other)
    ]


# Views that 25 steps on 26 hands can learn to match.
MILD = {
    "rotation_deg": 10,
    "crop_margin": (1.2, 1.3),
    "jitter_px": 2,
    "hue": (0.9, 1),
    "saturation": (0.9, 1),
    "value": (0.9, 1),
    "value_shift": (0, 5),
}
METHODS = [("simclr", "none"), ("peclr", "none"), ("tempclr", "none"), ("simhand", "linear"), ("simhand", "sigmoid")]


@pytest.mark.parametrize(("method", "weighting"), METHODS)
def test_the_loss_falls(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings, method: str, weighting: str
) -> None:
    settings = small_settings(method=method, weighting=weighting, augmentation=MILD, batch_size=26, epochs=25)
    assert run(settings, pool, outputs)
    metrics = lines(outputs.metrics)
    assert [line["step"] for line in metrics] == list(range(1, 26))
    losses = [line["loss"] for line in metrics]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.3
    state = torch.load(outputs.encoder, weights_only=True)
    assert state["conv1.weight"].dtype == torch.float32
    assert not any(key.startswith("fc.") for key in state)
    card = json.loads((outputs.encoder.parent / "card.json").read_text())
    assert card["training"]["loss_of_last_step"] == pytest.approx(losses[-1], abs=1e-6)
    assert card["method"] == method
    assert [path.name for path in outputs.checkpoints.iterdir()] == [".lock"]


def test_bfloat16_learns_too(pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings) -> None:
    settings = small_settings(precision="bfloat16", augmentation=MILD, batch_size=26, epochs=25)
    assert run(settings, pool, outputs)
    losses = [line["loss"] for line in lines(outputs.metrics)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.3


def test_equal_seeds_give_equal_bytes(pool: MadeUpPool, tmp_path: Path, small_settings: MakeSettings) -> None:
    files = []
    for name, changes in {"one": {}, "two": {"workers": 1}, "three": {"seed": 1}}.items():
        assert run(small_settings(epochs=2, **changes), pool, outputs_in(tmp_path / name))
        files.append((tmp_path / name / "encoder.pt").read_bytes())
    assert files[0] == files[1] != files[2]
    assert same_course(tmp_path / "one" / "metrics.jsonl", tmp_path / "two" / "metrics.jsonl")


def test_a_pool_smaller_than_its_processes_is_refused(
    write_pool: Callable[..., MadeUpPool], outputs: Outputs, small_settings: MakeSettings
) -> None:
    made = write_pool(outputs.encoder.parent, hands=3)
    with pytest.raises(PoolError, match=r"expected: 4 hands or more\n.*got: +3"):
        run(small_settings(processes=2), made, outputs)


def test_a_compiled_model_trains_as_the_plain_one(
    pool: MadeUpPool, tmp_path: Path, small_settings: MakeSettings
) -> None:
    for name, changes in {"plain": {}, "compiled": {"compile": True}}.items():
        assert run(small_settings(epochs=2, micro_batch=4, **changes), pool, outputs_in(tmp_path / name))
    plain, compiled = (lines(tmp_path / name / "metrics.jsonl") for name in ("plain", "compiled"))
    for key in ("loss", "gradient_norm"):  # the first step changes nothing, later ones drift apart by rounding
        expected = pytest.approx([line[key] for line in plain[:2]], rel=1e-3)
        assert [line[key] for line in compiled[:2]] == expected


def test_a_pool_smaller_than_a_batch_is_one_batch(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert run(small_settings(batch_size=1000, epochs=2), pool, outputs)
    assert len(lines(outputs.metrics)) == 2
    assert "the pool is smaller than batch_size 1000" in caplog.text
    assert "2 epochs of 1 steps of 26 pairs" in caplog.text


def test_a_loss_that_is_not_finite_names_step_and_rows(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings
) -> None:
    weights = {key: value * math.nan for key, value in _random_resnet().items()}
    torch.save(weights, outputs.encoder.parent / "broken.pth")
    settings = small_settings(initial=str(outputs.encoder.parent / "broken.pth"), batch_size=26)
    with pytest.raises(TrainingError, match=r"not finite\n.*step 1, rows \[") as caught:
        run(settings, pool, outputs)
    named = json.loads(str(caught.value).split("rows ")[1].split(" of the pool")[0])
    assert sorted(named) == list(range(26))


def test_a_run_that_bursts_names_its_last_good_checkpoint(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings
) -> None:
    with pytest.raises(TrainingError, match="not finite") as caught:
        run(small_settings(learning_rate=1e38, checkpoint_every_steps=1), pool, outputs)
    last = sorted(outputs.checkpoints.glob("step_*.pt"))[-1]
    assert f"the last good checkpoint: {last}" in str(caught.value)
    state = torch.load(last, weights_only=True)["model"]
    assert all(value.isfinite().all() for value in state.values())


def _random_resnet() -> dict[str, torch.Tensor]:
    return {
        key: value for key, value in torchvision.models.resnet18().state_dict().items() if value.is_floating_point()
    }


def test_views_of_a_batch(small_settings: MakeSettings) -> None:
    crops = torch.randint(0, 256, (3, 1, 3, 64, 64), dtype=torch.uint8)
    keypoints_px = torch.rand(3, 1, 21, 2) * 64
    own = batch_views(Pair(torch.arange(3), crops, keypoints_px), small_settings(method="peclr"), 4)
    twice = Pair(torch.arange(3), torch.cat([crops, crops], 1), torch.cat([keypoints_px, keypoints_px], 1))
    same = batch_views(twice, small_settings(), 4)
    assert torch.equal(own.images, same.images)
    assert torch.equal(own.keypoints_px, same.keypoints_px)
    other = Pair(torch.arange(3), torch.cat([crops, 255 - crops], 1), torch.cat([keypoints_px, keypoints_px], 1))
    mixed = batch_views(other, small_settings(), 4)
    assert torch.equal(mixed.images[:3], own.images[:3])  # the hands first, then their positives
    assert not torch.equal(mixed.images[3:], own.images[3:])


@pytest.mark.parametrize(("method", "weighting"), [("simclr", "none"), ("simclr", "linear"), *METHODS[1:]])
def test_which_loss_a_run_takes(small_settings: MakeSettings, method: str, weighting: str) -> None:
    settings = small_settings(method=method, weighting=weighting, temperature=0.7)
    crops = torch.randint(0, 256, (4, 1, 3, 64, 64), dtype=torch.uint8)
    batch = Pair(torch.arange(4), crops, torch.rand(4, 1, 21, 2) * 64)
    views = batch_views(batch, settings, 0)
    embeddings = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    undone = undo_view(embeddings, views.angle_deg, views.shift)
    unit = normalize(embeddings, dim=1) if method == "simclr" else undone
    expected = weighted_nt_xent(unit[:4], unit[4:], None, None, 0.7)
    if weighting != "none":
        first, second = views.keypoints_px.chunk(2)
        weights = adaptive_weights(first, second, settings)
        expected = weighted_nt_xent(unit[:4], unit[4:], *weights, 0.7)
    torch.testing.assert_close(contrastive_loss(embeddings, views, settings), expected)


def test_a_gpu_that_is_not_there(pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ConfigError, match="no GPU here"):
        run(small_settings(device="cuda"), pool, outputs)


def test_a_checkpoint_of_another_run_is_refused(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings
) -> None:
    stop = Event()
    stop.set()
    assert not run(small_settings(), pool, outputs, stop)
    with pytest.raises(CheckpointError, match=r"learning_rate = 0.02(.|\n)*learning_rate = 0.0032"):
        run(small_settings(learning_rate=0.02), pool, outputs)
    with pytest.raises(CheckpointError, match="content of the pool"):
        train(small_settings(), pool.members, _second_neighbours_first(pool, outputs), pool.crops, outputs)
    assert not outputs.encoder.exists()


def _second_neighbours_first(pool: MadeUpPool, outputs: Outputs) -> list[Path]:
    paths = []
    for path in pool.neighbours:
        table = read_parquet(path, NEIGHBOURS)
        swapped = table.set_column(1, NEIGHBOURS.field("rank"), pa.array(3 - table["rank"].to_numpy()))
        paths.append(outputs.encoder.parent / path.name)
        write_parquet(swapped, paths[-1], NEIGHBOURS)
    return paths


# Runs in processes of their own, interrupted in two ways, against one that is not.

LONG = {"epochs": 15, "checkpoint_every_steps": 20, "weighting": "linear"}  # 45 steps


@pytest.fixture(scope="module")
def unbroken(pool: MadeUpPool, tmp_path_factory: pytest.TempPathFactory, small_settings: MakeSettings) -> Outputs:
    outputs = outputs_in(tmp_path_factory.mktemp("unbroken"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert run(small_settings(**LONG), pool, outputs)
    torch.set_num_threads(before)
    return outputs


def arguments(settings: PretrainingSettings, pool: MadeUpPool, outputs: Outputs) -> list[str]:
    named = {"members": pool.members, "crops": pool.crops, **vars(outputs)}
    paths = [part for name, path in named.items() for part in (f"--{name}", str(path))]
    parts = ["--settings", settings.model_dump_json(exclude=EXECUTION), *paths]
    parts += ["--execution", settings.model_dump_json(include=EXECUTION)]
    return [*parts, "--neighbours", *map(str, pool.neighbours)]


def start(settings: PretrainingSettings, pool: MadeUpPool, outputs: Outputs) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "simhand.pretraining", *arguments(settings, pool, outputs)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, start_new_session=True)


def wait_for_checkpoint(process: subprocess.Popen[bytes], outputs: Outputs) -> None:
    while process.poll() is None and not list(outputs.checkpoints.glob("step_*.pt")):
        time.sleep(0.01)


def wait_for_step(process: subprocess.Popen[bytes], outputs: Outputs, step: int) -> None:
    journal = outputs.checkpoints / "metrics.jsonl"
    while process.poll() is None and f'"step": {step},' not in (journal.read_text() if journal.exists() else ""):
        time.sleep(0.01)


def check_same_as_unbroken(outputs: Outputs, unbroken: Outputs) -> None:
    assert outputs.encoder.read_bytes() == unbroken.encoder.read_bytes()
    assert same_course(outputs.metrics, unbroken.metrics)
    assert [path.name for path in outputs.checkpoints.iterdir()] == [".lock"]


@pytest.mark.slow
def test_killed_and_started_again(
    pool: MadeUpPool, outputs: Outputs, unbroken: Outputs, small_settings: MakeSettings
) -> None:
    process = start(small_settings(**LONG), pool, outputs)
    wait_for_checkpoint(process, outputs)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not outputs.encoder.exists()
    assert not outputs.metrics.exists()
    assert start(small_settings(**LONG), pool, outputs).wait() == 0
    check_same_as_unbroken(outputs, unbroken)


@pytest.mark.slow
def test_told_to_end_and_started_again(
    pool: MadeUpPool, outputs: Outputs, unbroken: Outputs, small_settings: MakeSettings
) -> None:
    process = start(small_settings(**{**LONG, "checkpoint_every_steps": 1000, "workers": 1}), pool, outputs)
    wait_for_step(process, outputs, 1)
    os.killpg(process.pid, signal.SIGTERM)  # the worker hears it too
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    (checkpoint,) = outputs.checkpoints.glob("step_*.pt")
    done = int(checkpoint.stem.removeprefix("step_"))
    assert lines(outputs.checkpoints / "metrics.jsonl")[-1]["step"] == done < 45
    assert run(small_settings(**LONG), pool, outputs)
    check_same_as_unbroken(outputs, unbroken)


@pytest.mark.slow
def test_two_processes_are_interrupted_in_three_ways(
    pool: MadeUpPool, tmp_path: Path, small_settings: MakeSettings
) -> None:
    settings = small_settings(**LONG, processes=2)
    unbroken, outputs = outputs_in(tmp_path / "unbroken"), outputs_in(tmp_path / "interrupted")
    assert start(settings, pool, unbroken).wait() == 0

    process = start(settings, pool, outputs)
    wait_for_checkpoint(process, outputs)
    workers = [child for child in psutil.Process(process.pid).children() if "WORLD_SIZE" in child.environ()]
    assert len(workers) == 2
    workers[1].kill()
    assert process.wait(timeout=120) not in {0, None}  # the other one does not wait for ever

    process = start(settings, pool, outputs)
    wait_for_step(process, outputs, 22)
    process.kill()  # it started the two, which are told to end; the next start waits until they have

    process = start(settings, pool, outputs)
    wait_for_step(process, outputs, 30)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=120) == 128 + signal.SIGTERM
    assert lines(outputs.checkpoints / "metrics.jsonl")[-1]["step"] < 45

    assert start(settings, pool, outputs).wait() == 0
    check_same_as_unbroken(outputs, unbroken)


def test_a_failure_is_told_without_a_traceback(
    pool: MadeUpPool, outputs: Outputs, small_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    missing = replace(pool, members=outputs.encoder.parent / "nowhere.parquet")
    assert main(arguments(small_settings(), missing, outputs)) == 1
    assert "TableError: cannot read a table" in caplog.text
    for number, handler in handlers.items():
        signal.signal(number, handler)
