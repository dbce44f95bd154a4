"""DetNet's losses, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from simhand.finetuning.detnet import DetNetOutput
from simhand.finetuning.losses import detnet_losses, heatmap_loss, map_loss
from simhand.finetuning.samples import Sample
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import bone_directions, heatmaps
from simhand.joints import JOINTS
from tests.finetuning.made_up_batch import batch_of, random_joints

SIZE = 32
SETTINGS = FinetuningSettings(image_size=SIZE, heatmap_weight=100, direction_weight=1, location_weight=10)
TIP, BEFORE_TIP = JOINTS.index("index_tip"), JOINTS.index("index_upper")


def test_heatmap_loss_by_hand() -> None:
    predicted, target = torch.zeros(2, 21, 2, 2), torch.zeros(2, 21, 2, 2)
    target[0, 3, 0, 0] = 1.0  # joint 3: squared errors 1 of 2 x 4 values
    target[1, 7] = 2.0  # joint 7: 4 x 4 of 8 values
    veil = torch.ones(2, 21)
    assert heatmap_loss(predicted, target, veil).item() == pytest.approx(0.5 * (1 / 8 + 16 / 8))
    veil[1, 7] = 0
    assert heatmap_loss(predicted, target, veil).item() == pytest.approx(0.5 / 8)


def test_map_loss_by_hand() -> None:
    predicted, target = torch.zeros(3, 21, 3, 2, 2), torch.zeros(3, 21, 3)
    attention = torch.zeros(3, 21, 2, 2)
    attention[0, 4, 1, 0], attention[2, 5, 0, 1] = 1.0, 0.5
    target[0, 4] = torch.tensor([1.0, 2.0, 2.0])  # where the attention is: 9
    target[2, 5] = torch.tensor([0.0, 8.0, 0.0])  # halved: 16
    target[1] = 100.0  # nothing looks there
    everyone = torch.tensor([True, True, True])
    assert map_loss(predicted, target, attention, everyone).item() == pytest.approx(5 / 3)
    without_last = torch.tensor([True, True, False])
    assert map_loss(predicted, target, attention, without_last).item() == pytest.approx(3 / 2)


def test_without_labels_there_is_no_loss_and_no_gradient() -> None:
    predicted = torch.randn(2, 21, 3, 2, 2, requires_grad=True)
    loss = map_loss(predicted, torch.ones(2, 21, 3), torch.ones(2, 21, 2, 2), torch.tensor([False, False]))
    loss.backward()
    assert loss.item() == 0.0
    assert predicted.grad is not None
    assert (predicted.grad == 0).all()


@pytest.fixture
def batch() -> Sample:
    """Two hands, whose joints all lie in the crop."""
    batch = batch_of(random_joints(2), SIZE)
    keypoints = 4 + 24 * torch.rand(2, 21, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return batch._replace(keypoints_px=keypoints)


def perfect(batch: Sample) -> DetNetOutput:
    maps, _ = heatmaps(batch.keypoints_px, SIZE, 4)
    directions = bone_directions(batch.locations)
    spread = [part[..., None, None].expand(-1, -1, -1, 8, 8).clone() for part in (directions, batch.locations)]
    return DetNetOutput(maps, *spread, torch.zeros(2, 21, 2).long(), directions, batch.locations)


def test_a_perfect_output_has_no_loss(batch: Sample) -> None:
    losses = detnet_losses(perfect(batch), batch, SETTINGS)
    assert set(losses) == {"heatmap_loss", "direction_loss", "location_loss", "loss"}
    assert all(loss.item() == 0.0 for loss in losses.values())


def test_the_parts_are_weighted(batch: Sample) -> None:
    output = perfect(batch)
    wrong = output._replace(heatmaps=output.heatmaps + 0.1, location_maps=output.location_maps + 0.2)
    losses = {name: loss.item() for name, loss in detnet_losses(wrong, batch, SETTINGS).items()}
    assert losses["heatmap_loss"] == pytest.approx(0.5 * 0.01 * 21)
    attention = heatmaps(batch.keypoints_px, SIZE, 4)[0]
    assert losses["location_loss"] == pytest.approx(0.2 * (3 * attention.square().sum()).sqrt().item() / 2)
    assert losses["direction_loss"] == 0.0
    assert losses["loss"] == pytest.approx(100 * losses["heatmap_loss"] + 10 * losses["location_loss"])


def hide(batch: Sample, joint: int) -> Sample:
    """The second hand's joint is not seen: its labels are zeros."""
    parts = {name: getattr(batch, name).clone() for name in ("keypoints_px", "locations", "seen")}
    for part in parts.values():
        part[1, joint] = 0
    return batch._replace(**parts)


def slopes(output: DetNetOutput, batch: Sample) -> tuple[Tensor, ...]:
    """Of the loss, by heat maps, directions and locations."""
    maps = [part.clone().requires_grad_() for part in output[:3]]
    loss = detnet_losses(DetNetOutput(*maps, *output[3:]), batch, SETTINGS)["loss"]
    return torch.autograd.grad(loss, maps)


def test_joints_that_are_not_seen_teach_nothing(batch: Sample) -> None:
    """Nor does the bone from a joint to the next one outwards."""
    hidden = hide(batch, BEFORE_TIP)
    output = perfect(batch)
    losses = detnet_losses(output, hidden, SETTINGS)
    assert losses["loss"].item() == 0.0  # right where something is seen: what the rest says is not looked at

    wrong = output._replace(**{name: getattr(output, name) + 0.3 for name in output._fields[:3]})
    heat, direction, location = slopes(wrong, hidden)
    assert not heat[1, BEFORE_TIP].any()
    assert not location[1, BEFORE_TIP].any()
    assert not direction[1, [BEFORE_TIP, TIP]].any()
    for part in (heat, location):
        assert part[1, TIP].any()
        assert part[0, BEFORE_TIP].any()
    assert direction[0, [BEFORE_TIP, TIP]].any(dim=(1, 2, 3)).all()


def test_bfloat16_maps_have_float32_losses(batch: Sample) -> None:
    output = perfect(batch)
    coarse = DetNetOutput(*(part.bfloat16() for part in output[:3]), *output[3:])
    single = batch._replace(keypoints_px=batch.keypoints_px.float(), locations=batch.locations.float())
    assert all(loss.dtype == torch.float32 for loss in detnet_losses(coarse, single, SETTINGS).values())
