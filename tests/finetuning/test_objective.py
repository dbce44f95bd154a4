"""The loss and the error of a batch."""

from __future__ import annotations

import pytest
import torch

from simhand.finetuning.detnet import DetNetOutput
from simhand.finetuning.objective import aligned_errors_mm, detnet_losses
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import bone_directions, heatmaps

SETTINGS = FinetuningSettings(image_size=32, heatmap_weight=100, direction_weight=1, location_weight=10)


@pytest.fixture
def batch() -> Sample:
    random = torch.Generator().manual_seed(0)
    locations = torch.randn(2, 21, 3, generator=random)
    locations -= locations[:, :1].clone()
    locations /= locations[:, 9].norm(dim=1)[:, None, None].clone()
    keypoints = 32 * torch.rand(2, 21, 2, generator=random)
    return Sample(torch.zeros(2, 3, 32, 32), keypoints, locations, torch.tensor([90.0, 60.0]), torch.ones(2).bool())


def perfect(batch: Sample) -> DetNetOutput:
    maps, _ = heatmaps(batch.keypoints_px, 32, 4)
    directions = bone_directions(batch.locations)
    spread = [part[..., None, None].expand(-1, -1, -1, 8, 8) for part in (directions, batch.locations)]
    return DetNetOutput(maps, *spread, torch.zeros(2, 21, 2).long(), directions, batch.locations)


def test_a_perfect_output_has_no_loss(batch: Sample) -> None:
    assert detnet_losses(perfect(batch), batch, SETTINGS).total.item() == 0.0


def test_the_parts_are_weighted(batch: Sample) -> None:
    output = perfect(batch)
    wrong = output._replace(heatmaps=output.heatmaps + 0.1, location_maps=output.location_maps + 0.2)
    losses = detnet_losses(wrong, batch, SETTINGS)
    veiled = 21 - heatmaps(batch.keypoints_px, 32, 4)[1].sum().item() / 2
    assert losses.heatmap.item() == pytest.approx(0.5 * 0.01 * (21 - veiled), rel=1e-4)
    attention = heatmaps(batch.keypoints_px, 32, 4)[0]
    assert losses.location.item() == pytest.approx(0.2 * (3 * attention.square().sum()).sqrt().item() / 2, rel=1e-4)
    assert losses.direction.item() == 0.0
    assert losses.total.item() == pytest.approx(100 * losses.heatmap.item() + 10 * losses.location.item())


def test_errors_by_hand(batch: Sample) -> None:
    locations = batch.locations.clone()
    locations[1, 4, 2] += 0.5  # half a bone of 60 mm, at one joint of 21
    moved = locations * 3 + 7
    errors = aligned_errors_mm(moved, batch)
    torch.testing.assert_close(errors, torch.tensor([0.0, 30 / 21]), atol=1e-4, rtol=1e-4)
