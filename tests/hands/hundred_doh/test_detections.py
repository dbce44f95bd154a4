from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from simhand.errors import WeightsError
from simhand.hands.hundred_doh.detections import (
    Found,
    Hands,
    Regions,
    contacts_of,
    find_hands,
    look,
    select,
    touched_objects,
)
from simhand.hands.hundred_doh.network import HAND, OBJECT, HundredDohNet
from simhand.hands.hundred_doh.preprocessing import make_blob
from simhand.hands.settings import HundredDohSettings
from tests.devices import DEVICES
from tests.hands.hundred_doh.legacy import kept

SETTINGS = HundredDohSettings(score_threshold=0.4, object_threshold=0.3, max_hands=50)
FLOAT32 = torch.float32


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def frames(make_frame: Callable[..., np.ndarray]) -> Tensor:
    """uint8 (3, h, w, 3)."""
    return torch.from_numpy(np.stack([make_frame(seed) for seed in range(3)]))


def made_up_regions(boxes: list[list[float]], hands: list[float], objects: list[float]) -> Regions:
    """Of one frame; each class has the same boxes."""
    probabilities = torch.tensor([[0.0] * len(hands), objects, hands]).T[None]
    classes = torch.tensor(boxes)[None, :, None].expand(1, -1, 3, 4)
    return Regions(torch.empty(0), torch.empty(0), (600, 800), probabilities, classes, torch.empty(0))


def test_detections_are_above_the_threshold_and_overlap_by_less() -> None:
    boxes = [[0.0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9], [40, 0, 49, 2], [40, 0, 49, 1], [60, 0, 69, 9]]
    regions = made_up_regions(boxes, hands=[0.5, 0.51, 0.7, 0.6, 0.6, 0.8], objects=[0.9, 0.0, 0.5, 0.0, 0.0, 0.4])
    hands = select(regions, 0, HAND, 0.5, 0.3)
    assert hands.rows.tolist() == [5, 2, 4, 1]  # not 0, which is not above; not 3, whose overlap is 0.3
    assert hands.scores.tolist() == pytest.approx([0.8, 0.7, 0.6, 0.51])
    assert hands.boxes.tolist() == [boxes[row] for row in (5, 2, 4, 1)]
    assert select(regions, 0, OBJECT, 0.5, 0.3).rows.tolist() == [0]
    assert select(regions, 0, OBJECT, 0.95, 0.3).rows.tolist() == []


def objects_at(*centres: tuple[float, float]) -> Found:
    """Squares of 10 px; the k-th has the score 0.9 - k / 10."""
    x, y = torch.tensor(centres).reshape(-1, 2).T
    boxes = torch.stack([x - 5, y - 5, x + 5, y + 5], dim=1)
    return Found(boxes, 0.9 - torch.arange(len(boxes)) / 10, torch.arange(len(boxes)))


def test_touched_objects_by_hand() -> None:
    boxes = torch.tensor([[90.0, 40, 110, 60]] * 5)  # hands around (100, 50)
    offsets = torch.tensor(
        [
            [0.1, 0.1, 0.0],  # to (200, 50)
            [0.1, 0.06, 0.08],  # to (160, 130)
            [0.1, 0.1, 0.0],  # the same, but touches nothing
            [0.05, -0.1, 0.0],  # to (50, 50)
            [0.1, 0.1, 0.0],  # the first one's again
        ]
    )
    contacts = torch.tensor([3, 4, 0, 1, 2])
    objects = objects_at((100, 50), (190, 50), (160, 120), (60, 60))
    touched = touched_objects(boxes, contacts, offsets, objects)
    assert touched[[0, 1, 3, 4], 4].tolist() == pytest.approx([0.8, 0.7, 0.6, 0.8])
    assert touched[0, :4].tolist() == [185, 45, 195, 55]
    assert touched[4].tolist() == touched[0].tolist()
    assert touched[2].isnan().all()


def test_no_hand_touches_what_is_not_there() -> None:
    boxes, offsets = torch.tensor([[90.0, 40, 110, 60]] * 2), torch.zeros(2, 3)
    assert touched_objects(boxes, torch.tensor([3, 0]), offsets, objects_at()).isnan().tolist() == [[True] * 5] * 2
    assert touched_objects(boxes[:0], torch.tensor([]), offsets[:0], objects_at((1, 1))).shape == (0, 5)


def test_of_many_objects_the_nearest_is_touched() -> None:
    """Half a pixel decides, also far from the origin."""
    objects = objects_at((3800.0, 2100.5), (3800.0, 2100.0), *((10.0 * k, 10) for k in range(30)))
    hand = torch.tensor([[3790.0, 2090, 3810, 2110]])
    touched = touched_objects(hand, torch.tensor([3]), torch.tensor([[0.0, 0.1, 0]]), objects)
    assert touched[0, :4].tolist() == objects.boxes[1].tolist()


def parts(hands: Hands) -> dict[str, Tensor]:
    return dict(zip(Hands._fields, hands, strict=True))


def assert_same(own: Hands, other: Hands, tolerance: float) -> None:
    for name, part in parts(own).items():
        torch.testing.assert_close(part, parts(other)[name], rtol=0, atol=tolerance, equal_nan=True, msg=name)


@pytest.mark.usefixtures("few_regions")
def test_hands_are_made_of_what_the_network_says(network: HundredDohNet, frames: Tensor) -> None:
    """Recomputed region by region from the answers for all of them."""
    (hands,) = find_hands(network, frames[:1], SETTINGS, FLOAT32)
    regions = look(network, frames[:1], FLOAT32)
    logits, offsets = network.contacts(regions.features, regions.numbered, *regions.blob_size)
    scores, boxes = regions.probabilities[0].numpy(), regions.boxes[0].numpy()

    def chosen(kind: int, threshold: float) -> list[int]:
        rows = np.flatnonzero(scores[:, kind] > threshold)
        return [int(rows[k]) for k in kept(boxes[rows, kind], scores[rows, kind], SETTINGS.nms_threshold)]

    rows, objects = chosen(HAND, 0.4), chosen(OBJECT, 0.3)
    assert len(rows) > 5
    assert len(objects) > 1
    touched = []
    for row in rows:
        x1, y1, x2, y2 = boxes[row, HAND]
        magnitude, dx, dy = offsets[row].tolist()
        x, y = (x1 + x2) / 2 + 10000 * magnitude * dx, (y1 + y2) / 2 + 10000 * magnitude * dy
        centres = [(boxes[k, OBJECT, :2] + boxes[k, OBJECT, 2:]) / 2 for k in objects]
        nearest = objects[int(np.argmin([np.hypot(u - x, v - y) for u, v in centres]))]
        found = [*boxes[nearest, OBJECT], scores[nearest, OBJECT]]
        touched.append(found if logits[row].argmax() > 0 else [np.nan] * 5)
    expected = Hands(
        torch.from_numpy(boxes[rows, HAND]),
        torch.from_numpy(scores[rows, HAND]),
        regions.right[0, rows].sigmoid() > 0.5,
        logits[rows].argmax(dim=1),
        offsets[rows],
        torch.tensor(np.array(touched, np.float32)),
    )
    assert_same(hands, expected, 1e-4)
    assert 0 < hands.right.sum() < len(rows)
    assert len(hands.contacts.unique()) >= 3
    assert 0 < hands.objects[:, 0].isnan().sum() < len(rows)


@pytest.mark.usefixtures("few_regions")
def test_contacts_of_hands_are_those_among_all_regions(network: HundredDohNet, frames: Tensor) -> None:
    regions = look(network, frames[:2], FLOAT32)
    rows = [torch.tensor([7, 3, 20]), torch.tensor([5])]
    states, offsets = contacts_of(network, regions, rows, FLOAT32)
    all_states, all_offsets = network.contacts(regions.features, regions.numbered, *regions.blob_size)
    assert states[0].tolist() == all_states[[7, 3, 20]].argmax(dim=1).tolist()
    assert states[1].tolist() == all_states[[35]].argmax(dim=1).tolist()
    torch.testing.assert_close(offsets[0], all_offsets[[7, 3, 20]], rtol=0, atol=1e-5)
    torch.testing.assert_close(offsets[1], all_offsets[[35]], rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.usefixtures("few_regions")
def test_a_batch_of_frames_is_as_one_at_a_time(network: HundredDohNet, frames: Tensor, device: str) -> None:
    network, frames = copy.deepcopy(network).to(device), frames.to(device)
    together = find_hands(network, frames, SETTINGS, FLOAT32)
    for frame in range(3):
        (alone,) = find_hands(network, frames[frame : frame + 1], SETTINGS, FLOAT32)
        assert len(alone.boxes) > 5
        assert_same(together[frame], alone, 1e-3)
    assert together[0].boxes[0].tolist() != together[1].boxes[0].tolist()


@pytest.mark.parametrize("dtype", [FLOAT32, torch.bfloat16])
@pytest.mark.usefixtures("few_regions")
def test_float32_is_meant_in_full(network: HundredDohNet, frames: Tensor, dtype: torch.dtype) -> None:
    """GPUs would take TF32; which the network is told can be seen on any machine."""
    seen = []
    cudnn = torch.backends.cudnn
    handle = network.RCNN_base.register_forward_hook(lambda *_: seen.append((cudnn.enabled, cudnn.allow_tf32)))
    find_hands(network, frames[:1], SETTINGS, dtype)
    handle.remove()
    assert seen == [(True, dtype != FLOAT32)]


@pytest.mark.usefixtures("few_regions")
def test_the_best_hands_stay(network: HundredDohNet, frames: Tensor) -> None:
    every = find_hands(network, frames[:2], SETTINGS, FLOAT32)
    best = find_hands(network, frames[:2], SETTINGS.model_copy(update={"max_hands": 2}), FLOAT32)
    for own, others in zip(best, every, strict=True):
        assert len(own.boxes) == 2
        assert_same(own, Hands(*(part[:2] for part in others)), 1e-5)
        assert others.scores.tolist() == sorted(others.scores.tolist(), reverse=True)


@pytest.mark.usefixtures("few_regions")
def test_no_hand_is_found(network: HundredDohNet, frames: Tensor) -> None:
    (hands,) = find_hands(network, frames[:1], SETTINGS.model_copy(update={"score_threshold": 0.9999}), FLOAT32)
    assert [tuple(part.shape) for part in hands] == [(0, 4), (0,), (0,), (0,), (0, 3), (0, 5)]


@pytest.mark.usefixtures("few_regions")
def test_bfloat16_is_near_float32(network: HundredDohNet, frames: Tensor) -> None:
    """Its steps are 2 ** -8, 0.4 %: after a hundred layers features are off by 1 % (root of mean squares).

    That moves the logits here, of deviation 1, by 0.1, a probability by a quarter of that. Which of two regions comes
    first may change then, so that regions are compared one by one, and hands by what lies at the same place.
    """
    exact = look(network, frames[:1], FLOAT32)
    with torch.autocast("cpu", torch.bfloat16):
        features = network.features(make_blob(frames[:1]))
        assert features.dtype == torch.bfloat16
        seen = network.region_features(features, exact.numbered)
        probabilities, _ = network.classify(seen)
    assert 0.001 < (features - exact.features).norm() / exact.features.norm() < 0.02
    assert (probabilities - exact.probabilities[0]).abs().mean() < 0.025
    (own,), (expected,) = (find_hands(network, frames[:1], SETTINGS, dtype) for dtype in (torch.bfloat16, FLOAT32))
    assert all(part.isfinite().all() for part in (own.boxes, own.scores, own.offsets))
    assert all(part.dtype == FLOAT32 for part in (own.boxes, own.scores, own.offsets, own.objects))
    sure = expected.boxes[expected.scores > 0.6]
    distances = (sure[:, None] - own.boxes).abs().amax(dim=2)
    assert len(sure) > 5
    assert distances.amin(dim=1).median() < 1
    scores = own.scores[distances.argmin(dim=1)]
    assert (scores - expected.scores[: len(sure)]).abs().mean() < 0.05


class Damage(NamedTuple):
    parameter: str
    value: float


DAMAGES = [
    Damage("RCNN_base.0.weight", torch.nan),  # all is NaN
    Damage("RCNN_base.0.weight", 1e38),  # all is, in the end, infinite
    Damage("RCNN_rpn.RPN_cls_score.bias", torch.nan),
    Damage("RCNN_rpn.RPN_bbox_pred.bias", torch.nan),
    Damage("RCNN_rpn.RPN_bbox_pred.bias", 1e38),
    Damage("RCNN_cls_score.bias", torch.nan),
    Damage("RCNN_bbox_pred.bias", torch.nan),
    Damage("extension_layer.hand_lr_layer.bias", torch.inf),
    Damage("extension_layer.hand_contact_state_layer.3.bias", torch.nan),
    Damage("extension_layer.hand_dydx_layer.bias", torch.nan),
]


@contextmanager
def damaged(network: HundredDohNet, damage: Damage) -> Iterator[None]:
    parameter = network.get_parameter(damage.parameter)
    before = parameter.detach().clone()
    parameter.data.fill_(damage.value)
    try:
        yield
    finally:
        parameter.data.copy_(before)


@pytest.mark.usefixtures("few_regions")
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: f"{damage.parameter}-{damage.value:g}")
def test_an_answer_that_is_no_number_is_an_error(network: HundredDohNet, frames: Tensor, damage: Damage) -> None:
    with (
        damaged(network, damage),
        pytest.raises(WeightsError, match=r"(?s)no number.*torch.float32.*precision: float32.*weights are damaged"),
    ):
        find_hands(network, frames[:1], SETTINGS, FLOAT32)
