"""Fine-tuning runs, from start to end, on made-up hands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
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
from simhand.finetuning.model_file import read_model
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.train import Outputs, Start, finetune
from simhand.tables import PREDICTIONS

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
    assert not list(unbroken.checkpoints.iterdir())  # done: nothing to go on with


def test_the_predictions_of_a_run(unbroken: Outputs, labelled: Path) -> None:
    table = read_parquet(unbroken.predictions, PREDICTIONS)
    hands = read_freihand(labelled, "evaluation")
    assert tuple(table["image"].to_pylist()) == hands.images
    np.testing.assert_allclose(keypoints_array(table["true_mm"]), hands.joints_mm, rtol=1e-6)
    evaluate(unbroken.predictions, unbroken.predictions.with_name("metrics.json"))
    metrics = json.loads(unbroken.predictions.with_name("metrics.json").read_text())
    assert metrics["n_images"] == 3
    assert 0 < metrics["pa_mpjpe_mm"] < metrics["mpjpe_mm"] < 1000


def test_the_card_of_a_model(unbroken: Outputs) -> None:
    _, card = read_model(unbroken.model)
    assert card["encoder"] == "resnet18"
    assert card["sha256 of the initial encoder"] is None
    assert (card["seed"], card["label_percent"]) == (0, 100)


def test_a_killed_run_goes_on_to_the_same_end(unbroken: Outputs, start: Start, tmp_path: Path) -> None:
    outputs = outputs_in(tmp_path)
    command = [sys.executable, "-m", "simhand.finetuning", "--settings", SETTINGS.model_dump_json()]
    command += ["--labelled", str(start.labelled), "--format", "freihand", "--initial-encoder", "none"]
    for name, path in vars(outputs).items():
        command += [f"--{name}", str(path)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}  # as here: another number may round otherwise
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=one_thread)
    while not (outputs.checkpoints / "step_000000002.pt").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -9
    assert not outputs.model.exists()

    finetune(SETTINGS, start, outputs)
    expected, found = (read_model(path.model)[0].state_dict() for path in (unbroken, outputs))
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert outputs.model.read_bytes() == unbroken.model.read_bytes()
    assert pq.read_table(outputs.predictions).equals(pq.read_table(unbroken.predictions))
    timeless = [[{**row, "images_per_s": 0} for row in rows_of(path.metrics)] for path in (unbroken, outputs)]
    assert timeless[0] == timeless[1]


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
    model, card = read_model(tmp_path / "model.pt")
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
