"""2.5D regression: geometry with exact truth, the network's borders, its losses by hand."""

from __future__ import annotations

import pytest
import torch
import torchvision
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from simhand.finetuning.joint_orders import AIT, FROM_AIT, MANO, inverse
from simhand.finetuning.regression25d import (
    UNIT_BONE,
    Regression25d,
    Regression25dOutput,
    RootDepth,
    build_regression25d,
    output_of,
    predict_regression25d,
)
from simhand.finetuning.regression25d_losses import regression25d_losses
from simhand.finetuning.settings import FinetuningSettings
from simhand.finetuning.two_and_a_half import from_25d, rays, root_depths, to_25d
from simhand.joints import JOINTS
from tests.finetuning.made_up_batch import CAMERA, batch_of, projected, random_joints

SIZE = 32
SETTINGS = FinetuningSettings(head="regression25d", encoder="resnet18", image_size=SIZE)


def truth(joints: Tensor) -> Regression25dOutput:
    """What a perfect network says, whose refinement adds nothing."""
    keypoints, _ = to_25d(joints, CAMERA.expand(len(joints), 3, 3), UNIT_BONE)
    return Regression25dOutput(keypoints[..., :2], keypoints[..., 2], unrefined)


def unrefined(rays: Tensor, depths: Tensor) -> Tensor:
    return root_depths(rays, depths, UNIT_BONE)


def test_orders_of_joints_by_name() -> None:
    assert [JOINTS[joint] for joint in AIT[:7]] == [
        *("wrist", "thumb_base", "index_base", "middle_base", "ring_base", "little_base", "thumb_lower")
    ]
    assert [JOINTS[joint] for joint in (MANO[1], MANO[7], MANO[15], MANO[16])] == [
        *("index_base", "little_base", "thumb_upper", "thumb_tip")
    ]
    for order in (AIT, MANO):
        assert sorted(order) == list(range(21))
    assert [AIT[place] for place in FROM_AIT] == list(range(21))
    assert inverse(FROM_AIT) == AIT


def test_25d_keypoints_by_hand() -> None:
    joints = torch.zeros(1, 21, 3, dtype=torch.float64)
    joints[:, :, 2] = 500
    joints[0, 9] = torch.tensor([0, 0, 520])
    joints[0, 10] = torch.tensor([50, 0, 520])  # a bone of 50
    found, lengths = to_25d(joints, CAMERA[None], UNIT_BONE)
    assert lengths.item() == 50
    assert found[0, 0].tolist() == [16, 15, 0]
    torch.testing.assert_close(found[0, 10], torch.tensor([16 + 300 * 50 / 520, 15, 20 / 50]).double())


def bone_lengths(lines: torch.Tensor, depths: torch.Tensor, roots: torch.Tensor) -> torch.Tensor:
    ends = from_25d(lines, depths, roots)[:, list(UNIT_BONE)]
    return (ends[:, 1] - ends[:, 0]).norm(dim=1)


@example(284)
@example(1386)
@given(st.integers(0, 10_000))
def test_joints_come_back_from_25d(seed: int) -> None:
    joints = random_joints(4, seed)
    keypoints, lengths = to_25d(joints, CAMERA.expand(4, 3, 3), UNIT_BONE)
    lines = rays(keypoints[..., :2], CAMERA.expand(4, 3, 3))
    z, d = joints[:, 0, 2] / lengths, keypoints[..., 2]
    torch.testing.assert_close(from_25d(lines, d, z) * lengths[:, None, None], joints)
    found = root_depths(lines, d, UNIT_BONE)
    # The greater of two roots, of which either may be the true one. Where they nearly coincide, the least discriminant
    # of 1e-8 holds them apart: the bone is then longer, by as much as that shifts the root.
    slopes = (bone_lengths(lines, d, found + 1).square() - bone_lengths(lines, d, found - 1).square()) / 2
    apart = slopes > 1.01e-4
    assert apart.any()
    found_lengths = bone_lengths(lines, d, found)
    torch.testing.assert_close(found_lengths[apart], torch.ones(int(apart.sum())).double())
    distances = (lines[:, UNIT_BONE[1]] - lines[:, UNIT_BONE[0]]).square().sum(dim=1)
    assert ((found_lengths.square() - 1).abs() <= 1e-8 / (4 * distances) + 1e-7).all()
    assert (found >= z - 1e-6).all()


def test_a_bone_along_the_line_of_sight_has_a_finite_depth() -> None:
    lines = torch.ones(1, 21, 3)
    assert root_depths(lines, torch.zeros(1, 21), UNIT_BONE).isfinite().all()


def test_values_of_the_last_layer_are_in_peclrs_order() -> None:
    values = torch.arange(64.0)[None]
    output = output_of(values, unrefined)
    place = AIT.index(JOINTS.index("index_lower"))
    assert output.keypoints_px[0, JOINTS.index("index_lower")].tolist() == [3 * place, 3 * place + 1]
    assert output.depths[0, JOINTS.index("index_lower")] == 3 * place + 2
    assert output.depths[0, 0] == 0  # the wrist's, whatever is said


def test_images_are_normalised_as_in_pretraining() -> None:
    torch.manual_seed(0)
    model = build_regression25d(SETTINGS).eval()
    seen = []
    model.backend_model.conv1.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    image = torch.rand(1, 3, SIZE, SIZE)
    model(image - 0.5)
    expected = torchvision.transforms.functional.normalize(image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    torch.testing.assert_close(seen[0], expected)


def test_keypoints_begin_in_the_middle_and_depths_at_the_wrists() -> None:
    torch.manual_seed(0)
    model = build_regression25d(FinetuningSettings(head="regression25d", encoder="resnet18", image_size=128))
    output = model(torch.rand(4, 3, 128, 128) - 0.5)
    assert (output.keypoints_px - 64).abs().max() < 5
    assert output.depths.abs().max() < 5


def test_estimates_of_depth_are_held_within_bounds_and_get_no_gradient() -> None:
    refine = RootDepth().eval()
    with torch.no_grad():
        for parameter in refine.zroot_ref[-1].parameters():
            parameter.zero_()
    joints = random_joints(3).float()
    depths = (joints[..., 2] - joints[:, :1, 2]) / 30
    lines = (joints / joints[..., 2:]).requires_grad_()
    for distance, expected in ((1e-3, 50.0), (1e3, 4.0)):  # of the bone's ends, as seen
        found = refine(lines * torch.tensor([distance, distance, 1]), 0 * depths)
        torch.testing.assert_close(found, torch.full((3,), expected))
    refine(lines, depths).sum().backward()
    assert lines.grad is None or not lines.grad.any()


def test_a_batch_of_one_image_can_be_learnt_from() -> None:
    refine = RootDepth().train()
    assert refine(torch.rand(1, 21, 3), torch.rand(1, 21)).shape == (1,)


def test_a_single_image_is_normed_by_what_was_seen_before() -> None:
    torch.manual_seed(0)
    refine = RootDepth().train()
    before = {key: value.clone() for key, value in refine.state_dict().items()}
    refine(torch.rand(1, 21, 3), torch.rand(1, 21))
    assert all(torch.equal(value, before[key]) for key, value in refine.state_dict().items())
    refine(torch.rand(4, 21, 3), torch.rand(4, 21))
    assert refine.state_dict()["zroot_ref.1.num_batches_tracked"] == 1


def test_a_perfect_prediction_is_the_truth() -> None:
    joints = random_joints(8)
    keypoints, lengths = to_25d(joints, CAMERA.expand(8, 3, 3), UNIT_BONE)
    exact = Regression25dOutput(keypoints[..., :2], keypoints[..., 2], lambda rays, depths: joints[:, 0, 2] / lengths)
    found = predict_regression25d(exact, batch_of(joints, SIZE))
    torch.testing.assert_close(found.keypoints_px, projected(joints))
    torch.testing.assert_close(found.absolute * 30, joints)
    torch.testing.assert_close(found.locations, (joints - joints[:, :1]) / 70)


def losses_of(output: Regression25dOutput, seen: Tensor, scale_mm: float = 30.0) -> dict[str, float]:
    joints = random_joints(2)
    batch = batch_of(joints, SIZE, seen)
    batch = batch._replace(scale_mm=torch.tensor([30.0, scale_mm], dtype=torch.float64))
    return {name: loss.item() for name, loss in regression25d_losses(output, batch, SETTINGS).items()}


def wrong_output() -> Regression25dOutput:
    """Right but for 3.2 px at joint 5 of the first hand, 0.5 bones at joint 6 of the second, 2 bones at its wrist."""
    output = truth(random_joints(2))
    keypoints_px, depths = output.keypoints_px.clone(), output.depths.clone()
    keypoints_px[0, 5, 0] += 3.2
    depths[1, 6] -= 0.5
    roots = random_joints(2)[:, 0, 2] / 30 + torch.tensor([0.0, 2.0])
    return Regression25dOutput(keypoints_px, depths, lambda rays, depths: roots)


def test_losses_by_hand() -> None:
    seen = torch.ones(2, 21, dtype=torch.bool)
    losses = losses_of(wrong_output(), seen)
    keypoint, depth, root = 3.2 / 2 / 42 / SIZE, 0.5 / 42, 2 / 2
    expected = {"keypoint_loss": keypoint, "depth_loss": depth, "root_loss": root}
    assert losses == pytest.approx(expected | {"loss": 10 * keypoint + depth + 0.1 * root})


def test_joints_that_are_not_seen_teach_nothing() -> None:
    seen = torch.ones(2, 21, dtype=torch.bool)
    seen[0, 5] = seen[1, 6] = False
    losses = losses_of(wrong_output(), seen)
    assert losses["keypoint_loss"] == pytest.approx(0, abs=1e-12)
    assert losses["depth_loss"] == pytest.approx(0, abs=1e-12)


def test_a_hand_without_the_unit_of_depth_teaches_its_keypoints_alone() -> None:
    seen = torch.ones(2, 21, dtype=torch.bool)
    losses = losses_of(wrong_output(), seen, scale_mm=torch.nan)
    assert losses["keypoint_loss"] == pytest.approx(3.2 / 2 / 42 / SIZE)
    assert losses["depth_loss"] == pytest.approx(0, abs=1e-12)
    assert losses["root_loss"] == pytest.approx(0, abs=1e-12)


def test_pixels_are_exact_in_mixed_precision() -> None:
    torch.manual_seed(0)
    model = Regression25d(torchvision.models.resnet18(weights=None), 128)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(torch.rand(2, 3, 64, 64) - 0.5)
    assert output.keypoints_px.dtype == torch.float32


def test_every_weight_but_the_unused_value_is_trained() -> None:
    torch.manual_seed(0)
    model = build_regression25d(SETTINGS).double().train()
    batch = batch_of(random_joints(4), SIZE)
    regression25d_losses(model(batch.image), batch, SETTINGS)["loss"].backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert all(gradient is not None and gradient.any() for gradient in gradients.values())
    last = gradients["backend_model.fc.bias"]
    assert last is not None
    assert last[-1] == 0
