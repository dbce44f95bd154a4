"""DetNet's parts, by hand."""

from __future__ import annotations

import pytest
import torch
import torchvision

from simhand.finetuning.detnet import DetNet, at, peaks, position_channels


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


@pytest.mark.parametrize(("name", "channels"), [("resnet18", 512), ("resnet50", 2048)])
def test_any_resnet_can_be_the_encoder(name: str, channels: int) -> None:
    model = DetNet(torchvision.models.get_model(name, weights=None)).eval()
    with torch.no_grad():
        output = model(torch.zeros(1, 3, 64, 32))
    assert model.deconv[0].weight.shape == (channels, 256, 4, 4)
    assert output.heatmaps.shape == (1, 21, 16, 8)
    torch.testing.assert_close(output.locations, at(output.location_maps, peaks(output.heatmaps)))
    torch.testing.assert_close(output.directions, at(output.direction_maps, output.cells))
