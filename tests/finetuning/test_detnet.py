"""DetNet's parts, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from simhand.finetuning.detnet import DetNet, DetNetOutput, at, build_detnet, peaks, position_channels, predict_detnet
from simhand.finetuning.dilated import DilatedResNet
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.targets import heatmaps
from simhand.joints import MIDDLE_BASE, MIDDLE_LOWER
from tests.finetuning.made_up_batch import batch_of, projected, random_joints

ENCODERS = {"resnet18": 512, "resnet34": 512, "resnet50": 2048, "resnet101": 2048, "resnet152": 2048}


def build(encoder: str, behaviour: str = "paper") -> DetNet:
    torch.manual_seed(0)
    return build_detnet(FinetuningSettings.model_validate({"encoder": encoder, "behaviour": behaviour})).eval()


def test_position_channels() -> None:
    channels = position_channels(torch.zeros(2, 5, 3, 3))
    assert channels.shape == (2, 2, 3, 3)
    torch.testing.assert_close(channels[1, 0], torch.tensor([[-1.0, 0.0, 1.0]] * 3))
    torch.testing.assert_close(channels[1, 1], torch.tensor([[-1.0] * 3, [0.0] * 3, [1.0] * 3]))


def test_each_joint_is_read_at_its_own_peak() -> None:
    heat = torch.zeros(2, 21, 4, 4)
    heat[0, 0, 1, 3] = heat[1, 20, 2, 0] = 1.0
    cells = peaks(heat)
    assert cells[0, 0].tolist() == [1, 3]
    assert cells[1, 20].tolist() == [2, 0]
    maps = torch.arange(2 * 21 * 3 * 16, dtype=torch.float32).reshape(2, 21, 3, 4, 4)
    found = at(maps, cells)
    torch.testing.assert_close(found[0, 0], maps[0, 0, :, 1, 3])
    torch.testing.assert_close(found[1, 20], maps[1, 20, :, 2, 0])
    torch.testing.assert_close(found[1, 4], maps[1, 4, :, 0, 0])


@pytest.mark.parametrize("name", ENCODERS)
def test_any_resnet_can_be_the_encoder(name: str) -> None:
    model = build(name)
    with torch.no_grad():
        output = model(torch.zeros(1, 3, 64, 32))
    assert model.deconv[0].weight.shape == (ENCODERS[name], 256, 4, 4)
    assert output.heatmaps.shape == (1, 21, 16, 8)
    torch.testing.assert_close(output.locations, at(output.location_maps, peaks(output.heatmaps)))
    torch.testing.assert_close(output.directions, at(output.direction_maps, output.cells))


def test_the_original_encoder_keeps_a_quarter_of_the_side() -> None:
    model = build("resnet50_dilated")
    with torch.no_grad():
        assert model.encoder(torch.zeros(1, 3, 64, 32)).shape == (1, 256, 16, 8)
        assert model(torch.zeros(1, 3, 64, 32)).heatmaps.shape == (1, 21, 16, 8)
    assert not [key for key in model.state_dict() if key.startswith("deconv")]


def test_dilation_of_the_original_encoder() -> None:
    widened = {m.dilation[0]: 0 for m in DilatedResNet().modules() if isinstance(m, nn.Conv2d)}
    for module in DilatedResNet().modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            widened[module.dilation[0]] += 1
    assert widened == {1: 2 + 1 + 1, 2: 4, 4: 6}  # two bottlenecks, the pool and the last convolution; two groups


@pytest.mark.parametrize("name", ["resnet18", "resnet50_dilated"])
def test_convolutions_have_kaimings_spread(name: str) -> None:
    for module in build(name).modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            inputs = module.weight[0].numel()
            assert module.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.05)


@pytest.mark.parametrize(("behaviour", "low", "high"), [("paper", 0.001, 0.03), ("official", 0.4, 0.6)])
def test_heatmaps_start_near_their_mean_but_officially_at_a_half(behaviour: str, low: float, high: float) -> None:
    images = torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5
    with torch.no_grad():
        heat = build("resnet18", behaviour).train()(images).heatmaps
    assert low < heat.median().item() < high


def seen_by_the_maps(joints: torch.Tensor, size: int, keypoints_px: torch.Tensor) -> DetNetOutput:
    """What perfect maps say of these joints: locations in lengths of 2 bones, with the wrist not at 0."""
    maps, _ = heatmaps(keypoints_px, size, 4)
    locations = (joints - joints[:, :1]) / 140 + 0.25
    return DetNetOutput(maps, torch.empty(0), torch.empty(0), peaks(maps), torch.empty(0), locations)


def test_a_prediction_by_hand() -> None:
    """In a crop of many pixels, in which cells are small, the hand is placed where it is."""
    size, joints = 1024, random_joints(2)
    batch = batch_of(joints, 32)
    camera = batch.camera.clone()
    camera[:, :2] *= 6
    camera[:, :2, 2] = size / 2
    keypoints_px = projected(joints, camera[0])
    assert 0 < keypoints_px.min() < keypoints_px.max() < size
    found = predict_detnet(seen_by_the_maps(joints, size, keypoints_px), batch._replace(camera=camera))

    assert (found.keypoints_px - keypoints_px).abs().max() <= 2 + 1  # of a cell of 4, after whole pixels
    lengths = (joints[:, MIDDLE_BASE] - joints[:, 0]).norm(dim=1)[:, None, None]
    torch.testing.assert_close(found.locations, (joints - joints[:, :1]) / lengths)
    bone = (joints[:, MIDDLE_LOWER] - joints[:, MIDDLE_BASE]).norm(dim=1)[:, None, None]
    torch.testing.assert_close(found.absolute * bone, joints, rtol=0, atol=8)  # mm, at 700 mm


@pytest.mark.parametrize("cell", [0, 1, 17, 31])
def test_the_middle_of_a_cell_is_the_mean_of_the_keypoints_that_it_stands_for(cell: int) -> None:
    places = 4 * cell + torch.linspace(0, 4, 41, dtype=torch.float64)[:-1] + 0.05
    maps, _ = heatmaps(places[:, None, None].expand(-1, 21, 2), 128, 4)
    assert (peaks(maps) == cell).all()
    nothing, locations = torch.empty(0), random_joints(len(places))
    batch = batch_of(random_joints(len(places)), 32)
    found = predict_detnet(DetNetOutput(maps, nothing, nothing, peaks(maps), nothing, locations), batch)
    assert (found.keypoints_px[:, 0, 0] - places).mean().abs() < 1e-9
