"""Fine-tuning runs, from start to end, on made-up hands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import torchvision

from simhand.errors import CheckpointError, TrainingError
from simhand.evaluation.evaluate import evaluate
from simhand.files import keypoints_array, read_parquet
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.held_out import hold_out
from simhand.finetuning.model_file import read_model
from simhand.finetuning.predict import dataset_of, in_camera_frame, mean_error_mm, see
from simhand.finetuning.settings import FinetuningSettings, ReadSettings
from simhand.finetuning.train import Outputs, Start, finetune
from simhand.tables import PREDICTIONS
from tests.nodes import free_port, told_by_srun

SETTINGS = FinetuningSettings(
    encoder="resnet18", image_size=32, epochs=4, batch_size=4, device="cpu", checkpoint_every_epochs=1
)


def outputs_in(folder: Path) -> Outputs:
    return Outputs(
        folder / "model.pt", folder / "training.jsonl", folder / "predictions.parquet", folder / "checkpoints"
    )


def rows_of(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def start(labelled: Path) -> Start:
    return Start(labelled, "freihand", None, percent=100, seed=0)


@pytest.fixture(scope="module")
def unbroken(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """The outputs of an uninterrupted run."""
    outputs = outputs_in(tmp_path_factory.mktemp("unbroken"))
    finetune(SETTINGS, start, outputs)
    return outputs


def test_the_metrics_of_a_run(unbroken: Outputs) -> None:
    rows = rows_of(unbroken.metrics)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[-1]["loss"] < rows[0]["loss"]
    for row in rows:
        parts = 100 * row["heatmap_loss"] + row["direction_loss"] + 10 * row["location_loss"]
        assert row["loss"] == pytest.approx(parts, rel=1e-5)
        assert 0 < row["mpjpe_mm"] < 1000
        assert row["learning_rate"] == 1e-3
        assert row["images_per_s"] > 0
    assert [path.name for path in unbroken.checkpoints.iterdir()] == [".lock"]  # done: nothing to go on with


def test_the_predictions_of_a_run(unbroken: Outputs, labelled: Path) -> None:
    table = read_parquet(unbroken.predictions, PREDICTIONS)
    hands = read_freihand(labelled, "evaluation", ReadSettings())
    assert table["name"].to_pylist() == table["image"].to_pylist() == hands.images.tolist()
    assert table["hidden"].null_count == 3  # the layout does not tell
    np.testing.assert_allclose(keypoints_array(table["true_px"], 2), hands.keypoints_px, rtol=1e-5)
    np.testing.assert_allclose(keypoints_array(table["true_mm"]), hands.joints_mm, rtol=1e-6)
    evaluate(unbroken.predictions, unbroken.predictions.with_name("metrics.json"))
    metrics = json.loads(unbroken.predictions.with_name("metrics.json").read_text())
    assert metrics["n_images"] == 3
    assert 0 < metrics["pa_mpjpe_mm"] < metrics["mpjpe_mm"] < 1000


def test_the_card_of_a_model(unbroken: Outputs) -> None:
    _, settings, card = read_model(unbroken.model)
    assert settings == SETTINGS.model_copy(update={"device": "auto"})
    assert card["encoder"] == "resnet18"
    assert card["sha256 of the initial encoder"] is None
    assert (card["seed"], card["label_percent"]) == (0, 100)


def command_line(settings: FinetuningSettings, start: Start, outputs: Outputs) -> list[str]:
    command = [sys.executable, "-m", "simhand.finetuning", "--settings", settings.model_dump_json()]
    command += ["--labelled", str(start.labelled), "--format", "freihand", "--initial-encoder", "none"]
    for name, path in vars(outputs).items():
        command += [f"--{name}", str(path)]
    return command


def in_the_end_the_same(outputs: Outputs, unbroken: Outputs) -> None:
    """Byte for byte, but for the speed."""
    assert outputs.model.read_bytes() == unbroken.model.read_bytes()
    assert outputs.predictions.read_bytes() == unbroken.predictions.read_bytes()
    timeless = [[{**row, "images_per_s": 0} for row in rows_of(path.metrics)] for path in (unbroken, outputs)]
    assert timeless[0] == timeless[1]
    assert [path.name for path in outputs.checkpoints.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("ended_by", "code"),
    [
        (signal.SIGKILL, -9),
        pytest.param(signal.SIGTERM, 128 + 15, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 128 + 2, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_goes_on_to_the_same_end(
    unbroken: Outputs, start: Start, tmp_path: Path, ended_by: signal.Signals, code: int
) -> None:
    outputs = outputs_in(tmp_path)
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # as here: another number may round otherwise
    process = subprocess.Popen(command_line(SETTINGS, start, outputs), stderr=subprocess.DEVNULL, env=one_thread)
    while not (outputs.checkpoints / "step_000000004.pt").exists():  # two epochs
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(ended_by)
    assert process.wait() == code
    assert not outputs.model.exists()

    assert finetune(SETTINGS, start, outputs)
    in_the_end_the_same(outputs, unbroken)


class After(Event):
    """Is set once it was asked so many times, that is after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def is_set(self) -> bool:
        self.steps -= 1
        return self.steps <= 0


@pytest.mark.parametrize("steps", [3, pytest.param(4, marks=pytest.mark.slow), pytest.param(7, marks=pytest.mark.slow)])
def test_a_run_stopped_after_any_step_goes_on_there(
    unbroken: Outputs, start: Start, tmp_path: Path, steps: int
) -> None:
    """An epoch has two steps."""
    outputs = outputs_in(tmp_path)
    assert not finetune(SETTINGS, start, outputs, stop=After(steps))
    assert sorted(path.name for path in outputs.checkpoints.glob("step_*"))[-1] == f"step_{steps:09d}.pt"
    assert finetune(SETTINGS, start, outputs)
    in_the_end_the_same(outputs, unbroken)


@pytest.fixture(scope="module")
def two_processes(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outputs, str]:
    """A run of two processes, and what it said."""
    outputs = outputs_in(tmp_path_factory.mktemp("two"))
    settings = SETTINGS.model_copy(update={"processes": 2})
    finished = subprocess.run(command_line(settings, start, outputs), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return outputs, finished.stderr


@pytest.mark.slow
def test_two_processes_train_and_predict(two_processes: tuple[Outputs, str], unbroken: Outputs) -> None:
    outputs, said = two_processes
    rows, alone = rows_of(outputs.metrics), rows_of(unbroken.metrics)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["loss"] == pytest.approx(alone[0]["loss"], rel=0.3)  # batch norm is of half the batch
    assert rows[-1]["loss"] < rows[0]["loss"]
    found, expected = (pq.read_table(each.predictions) for each in (outputs, unbroken))
    assert found["name"] == expected["name"]
    assert found["true_mm"] == expected["true_mm"]
    assert said.count("epoch 4,") == 1  # the first process speaks


@pytest.mark.slow
def test_predictions_of_processes_are_those_of_their_model(two_processes: tuple[Outputs, str], labelled: Path) -> None:
    """Three images, two processes: the second has one of them twice."""
    model, settings, _ = read_model(two_processes[0].model)
    hands = read_freihand(labelled, "evaluation", ReadSettings())
    seen = see(model, dataset_of(hands, settings, None, inverted=False), settings)
    table = pq.read_table(two_processes[0].predictions)
    predicted_mm = in_camera_frame(seen.locations, hands.joints_mm)
    apart_px = np.abs(keypoints_array(table["predicted_px"], 2) - seen.keypoints_px).max(axis=2)
    apart_mm = np.abs(keypoints_array(table["predicted_mm"]) - predicted_mm).max(axis=2)
    same = (apart_px < 1e-3) & (apart_mm < 1e-2)  # (3, 21); rounding may choose between peaks that are equally high
    assert same.mean() > 0.9
    assert same.any(axis=1).all()


@pytest.mark.slow
def test_two_nodes_train_what_two_processes_of_one_do(
    two_processes: tuple[Outputs, str], start: Start, tmp_path: Path
) -> None:
    outputs, settings = outputs_in(tmp_path), SETTINGS.model_copy(update={"processes": 2, "nodes": 2})
    threads = str(max(1, len(os.sched_getaffinity(0)) // 2))  # as each process on one node has
    environment = {"OMP_NUM_THREADS": threads, **os.environ}
    command, port = command_line(settings, start, outputs), str(free_port())
    told = [told_by_srun(rank, MASTER_PORT=port) for rank in range(2)]
    nodes = [subprocess.Popen(command, env={**environment, **each}) for each in told]
    assert [node.wait(timeout=200) for node in nodes] == [0, 0]
    in_the_end_the_same(outputs, two_processes[0])


def test_early_stopping_keeps_the_best_epoch(start: Start, tmp_path: Path) -> None:
    """At so high a rate the error soon gets no lower."""
    update = {"patience_epochs": 2, "held_out_percent": 25, "epochs": 30, "learning_rate": 3e-3}
    outputs = outputs_in(tmp_path)
    finetune(SETTINGS.model_copy(update=update), start, outputs)
    rows = rows_of(outputs.metrics)
    errors = [row["held_out_mpjpe_mm"] for row in rows]
    assert 2 < len(rows) < 30
    assert int(np.argmin(errors)) == len(rows) - 3  # two epochs without a better one followed
    model, settings, _ = read_model(outputs.model)
    _, held = hold_out(read_freihand(start.labelled, "training", ReadSettings()), 25, start.seed)
    seen = see(model, dataset_of(held, settings, None, inverted=False), settings)
    assert mean_error_mm(seen, held) == pytest.approx(min(errors), rel=1e-4)
    assert [path.name for path in outputs.checkpoints.iterdir()] == [".lock"]


@pytest.mark.slow
def test_early_stopping_interrupted_comes_to_the_same_end(start: Start, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"patience_epochs": 2, "held_out_percent": 25, "epochs": 6})
    unbroken, outputs = outputs_in(tmp_path / "unbroken"), outputs_in(tmp_path / "broken")
    finetune(settings, start, unbroken)
    for steps in (3, 2):
        assert not finetune(settings, start, outputs, stop=After(steps))
    assert finetune(settings, start, outputs)
    in_the_end_the_same(outputs, unbroken)


@pytest.mark.slow
def test_the_best_epoch_of_two_processes_is_the_last(start: Start, tmp_path: Path) -> None:
    """All of them predict with its weights, which the first writes while the others are done."""
    update = {"patience_epochs": 5, "held_out_percent": 25, "epochs": 3, "processes": 2, "learning_rate": 1e-4}
    settings, outputs = SETTINGS.model_copy(update={**update, "encoder": "resnet50"}), outputs_in(tmp_path)
    finished = subprocess.run(command_line(settings, start, outputs), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    errors = [row["held_out_mpjpe_mm"] for row in rows_of(outputs.metrics)]
    assert f"the weights of epoch {int(np.argmin(errors)) + 1}," in finished.stderr
    model, settings, _ = read_model(outputs.model)
    hands = read_freihand(start.labelled, "evaluation", ReadSettings())
    seen = see(model, dataset_of(hands, settings, None, inverted=False), settings)
    table = pq.read_table(outputs.predictions)
    apart_mm = np.abs(keypoints_array(table["predicted_mm"]) - in_camera_frame(seen.locations, hands.joints_mm))
    assert (apart_mm.max(axis=2) < 1e-2).mean(axis=1).min() > 0.9  # each image; a peak may be chosen otherwise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ended_by", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 128 + 15), (signal.SIGINT, 128 + 2)]
)
def test_two_interrupted_processes_go_on_to_the_same_end(
    two_processes: tuple[Outputs, str], start: Start, tmp_path: Path, ended_by: signal.Signals, code: int
) -> None:
    outputs, settings = outputs_in(tmp_path), SETTINGS.model_copy(update={"processes": 2})
    command = command_line(settings, start, outputs)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not (outputs.checkpoints / "step_000000004.pt").exists():  # two epochs
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(ended_by)
    assert process.wait() == code
    assert not outputs.model.exists()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    in_the_end_the_same(outputs, two_processes[0])


def test_l2_is_added_to_the_loss(start: Start, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 1, "l2_weight": 1e-4, "learning_rate": 1e-12})
    finetune(settings, start, outputs_in(tmp_path))
    row = rows_of(tmp_path / "training.jsonl")[0]
    model, _, _ = read_model(tmp_path / "model.pt")
    squares = sum(parameter.double().square().sum().item() for parameter in model.parameters())
    assert row["l2_loss"] == pytest.approx(squares, rel=1e-4)
    parts = 100 * row["heatmap_loss"] + row["direction_loss"] + 10 * row["location_loss"]
    assert row["loss"] == pytest.approx(parts + 1e-4 * squares, rel=1e-4)


def test_the_official_behaviour_trains_on_official_crops(start: Start, tmp_path: Path, unbroken: Outputs) -> None:
    settings = SETTINGS.model_copy(update={"behaviour": "official", "epochs": 2})
    finetune(settings, replace(start, percent=50), outputs_in(tmp_path))
    rows = rows_of(tmp_path / "training.jsonl")
    assert rows[1]["loss"] < rows[0]["loss"]
    assert rows[0]["loss"] != rows_of(unbroken.metrics)[0]["loss"]
    assert read_model(tmp_path / "model.pt")[1].behaviour == "official"


def test_the_other_head_trains_too(start: Start, tmp_path: Path) -> None:
    outputs = outputs_in(tmp_path)
    finetune(SETTINGS.model_copy(update={"head": "regression25d", "epochs": 6}), start, outputs)
    rows = rows_of(outputs.metrics)
    assert rows[-1]["loss"] < rows[0]["loss"]
    table = read_parquet(outputs.predictions, PREDICTIONS)
    assert np.isfinite(keypoints_array(table["absolute_mm"])).all()
    assert read_model(outputs.model)[1].head == "regression25d"


@pytest.fixture
def interrupted(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outputs:
    """A run that broke after its first epoch."""
    outputs = outputs_in(tmp_path)

    def broken(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("simhand.finetuning.train.write_predictions", broken)
        finetune(SETTINGS.model_copy(update={"epochs": 1}), start, outputs)
    return outputs


@pytest.mark.parametrize(
    ("settings", "changes", "named"),
    [
        ({"learning_rate": 1e-4}, {}, "learning_rate = 0.0001"),
        ({"heatmap_weight": 1.0}, {}, "heatmap_weight = 1.0"),
        ({}, {"seed": 1}, "seed = 1"),
        ({}, {"percent": 50}, "label_percent = 50"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(
    interrupted: Outputs, start: Start, settings: dict[str, Any], changes: dict[str, Any], named: str
) -> None:
    other = SETTINGS.model_copy(update={"epochs": 1, **settings})
    with pytest.raises(CheckpointError, match=named):
        finetune(other, replace(start, **changes), interrupted)


def test_what_does_not_change_the_result_may_change(interrupted: Outputs, start: Start) -> None:
    finetune(SETTINGS.model_copy(update={"epochs": 1, "checkpoint_every_epochs": 7}), start, interrupted)
    assert len(rows_of(interrupted.metrics)) == 1


def test_pretrained_weights_are_started_from(start: Start, tmp_path: Path) -> None:
    """With a rate of next to nothing the encoder stays what it was."""
    encoder = torchvision.models.resnet18(weights=None).state_dict()
    torch.save({key: value for key, value in encoder.items() if not key.startswith("fc.")}, tmp_path / "encoder.pt")
    settings = SETTINGS.model_copy(update={"epochs": 1, "learning_rate": 1e-12})
    finetune(settings, replace(start, encoder=tmp_path / "encoder.pt"), outputs_in(tmp_path))
    model, _, card = read_model(tmp_path / "model.pt")
    torch.testing.assert_close(model.encoder.features[0].weight, encoder["conv1.weight"], atol=1e-9, rtol=0)
    assert len(card["sha256 of the initial encoder"]) == 64


def test_the_rate_falls_in_steps(start: Start, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 3, "decay_every_epochs": 2})
    finetune(settings, replace(start, percent=25), outputs_in(tmp_path))
    rates = [row["learning_rate"] for row in rows_of(tmp_path / "training.jsonl")]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4])


def test_bfloat16_learns_too(unbroken: Outputs, start: Start, tmp_path: Path) -> None:
    finetune(SETTINGS.model_copy(update={"precision": "bfloat16"}), start, outputs_in(tmp_path))
    exact, rounded = (rows_of(path)[0]["loss"] for path in (unbroken.metrics, tmp_path / "training.jsonl"))
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.2)


def test_a_diverging_run_stops(start: Start, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="epoch 1"):
        finetune(SETTINGS.model_copy(update={"learning_rate": 1e30}), start, outputs_in(tmp_path))
