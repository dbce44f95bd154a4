from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor

from simhand.hands.hundred_doh.boxes import clip, decode, enlarge, suppress
from tests.hands.hundred_doh.legacy import kept, overlaps

# A few values only, so that scores tie.
SCORES = st.sampled_from([0.25, 0.5, 0.5000001, 0.75, 1.0])


def corners(values: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[list[float], float]]:
    return st.tuples(st.lists(values, min_size=4, max_size=4), SCORES)


def split(rows: list[tuple[list[float], float]]) -> tuple[Tensor, Tensor]:
    return torch.tensor([box for box, _ in rows]).reshape(-1, 4), torch.tensor([score for _, score in rows])


# Whole pixels and quarters of them: all areas are exact in float32.
@given(
    st.lists(corners(st.integers(0, 60).map(float)) | corners(st.integers(0, 160).map(lambda n: n / 4))),
    st.sampled_from([0.3, 0.5, 0.7, 1.0]),
)
def test_suppression_is_the_legacy_rule(rows: list[tuple[list[float], float]], threshold: float) -> None:
    """Also for boxes that end before they begin: they overlap none."""
    boxes, scores = split(rows)
    assert suppress(boxes, scores, threshold).tolist() == kept(boxes.numpy(), scores.numpy(), threshold)


@given(st.lists(corners(st.floats(0, 1000, width=32))), st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_of_any_boxes(rows: list[tuple[list[float], float]], threshold: float) -> None:
    boxes, scores = split(rows)
    boxes = torch.cat([torch.minimum(boxes[:, :2], boxes[:, 2:]), torch.maximum(boxes[:, :2], boxes[:, 2:])], dim=1)
    assume((np.abs(overlaps(boxes.numpy()) - threshold) > 1e-5).all())  # not within its rounding
    assert suppress(boxes, scores, threshold).tolist() == kept(boxes.numpy(), scores.numpy(), threshold)


# Of 10 x 10 px, last pixels included, and of its upper part: they overlap by exactly so much.
@pytest.mark.parametrize(("rows", "threshold"), [(3, 0.3), (5, 0.5), (7, 0.7), (10, 1.0)])
def test_an_overlap_of_just_the_threshold_suppresses(rows: int, threshold: float) -> None:
    boxes, scores = torch.tensor([[0.0, 0, 9, rows - 1], [0, 0, 9, 9]]), torch.tensor([0.6, 0.9])
    assert suppress(boxes, scores, threshold).tolist() == [1]
    boxes[0, 3] -= 2e-5
    assert suppress(boxes, scores, threshold).tolist() == [1, 0]


def test_torchvisions_own_suppression_is_another() -> None:
    boxes, scores = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 4]]), torch.tensor([0.9, 0.6])
    assert torchvision.ops.nms(boxes, scores, 0.5).tolist() == [0, 1]  # 36 of 81
    with_last_pixels = boxes + torch.tensor([0, 0, 1, 1])
    assert torchvision.ops.nms(with_last_pixels, scores, 0.5).tolist() == [0, 1]  # 50 of 100, which is not above
    assert suppress(boxes, scores, 0.5).tolist() == [0]


def test_of_equal_scores_the_first_is_better() -> None:
    boxes = torch.tensor([[50.0, 50, 59, 59], [0, 0, 9, 9], [0, 0, 9, 8], [50, 50, 59, 58]])
    assert suppress(boxes, torch.full((4,), 0.5), 0.5).tolist() == [0, 1]


def test_nothing_to_suppress() -> None:
    rows = suppress(torch.zeros(0, 4), torch.zeros(0), 0.3)
    assert rows.tolist() == []
    assert rows.dtype == torch.int64


def test_decoding_by_hand() -> None:
    box = torch.tensor([10.0, 20, 29, 59])  # 20 x 40 px around (20, 40)
    deltas = torch.tensor([0.1, -0.25, math.log(2), math.log(0.5)])  # to 40 x 20 px around (22, 30)
    torch.testing.assert_close(decode(box, deltas), torch.tensor([2.0, 20, 42, 40]))


def test_deltas_of_zero_move_the_last_pixels() -> None:
    boxes = torch.tensor([[[10.0, 20, 29, 59]], [[0, 0, 0, 0]]])  # (2, 1, 4), for each of three classes
    decoded = decode(boxes, torch.zeros(2, 3, 4))
    assert decoded.tolist() == [[[10, 20, 30, 60]] * 3, [[0, 0, 1, 1]] * 3]


def test_clipping_by_hand() -> None:
    boxes = torch.tensor([[-5.0, -1, 700, 500], [650, 10.5, 660, 20], [3, 490, 4, 495], [-9, -8, -7, -6]])
    assert clip(boxes, 480, 640).tolist() == [[0, 0, 639, 479], [639, 10.5, 639, 20], [3, 479, 4, 479], [0, 0, 0, 0]]


@given(
    arrays.arrays(np.float32, 4, elements=st.floats(0, 999, width=32)),
    arrays.arrays(np.float32, 4, elements=st.floats(-200, 200, width=32)),
)
def test_no_decoded_and_clipped_box_ends_before_it_begins(box: np.ndarray, deltas: np.ndarray) -> None:
    region = torch.from_numpy(np.concatenate([np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])]))
    x1, y1, x2, y2 = clip(decode(region, torch.from_numpy(deltas)), 600, 1000).tolist()
    assert 0 <= x1 <= x2 <= 999
    assert 0 <= y1 <= y2 <= 599


ENLARGED = {
    "landscape": (480, 640, [100, 100, 200, 150], [70, 85, 230, 165]),
    "landscape, at the right: x2 below the height, before x1": (480, 640, [550, 300, 630, 400], [526, 270, 480, 430]),
    "landscape, at the bottom: y2 beyond the frame": (480, 640, [10, 379, 20, 479], [7, 349, 23, 509]),
    "portrait, at the bottom: y2 below the width, before y1": (640, 480, [300, 550, 400, 630], [270, 526, 430, 480]),
    "portrait, at the right: x2 beyond the frame": (640, 480, [379, 10, 479, 20], [349, 7, 509, 23]),
    "square: one pixel further than the last": (500, 500, [400, 400, 490, 490], [373, 373, 500, 500]),
    "at the upper left": (480, 640, [10, 20, 110, 80], [0, 2, 140, 98]),
    "no region": (480, 640, [0, 0, 0, 0], [0, 0, 0, 0]),
}


@pytest.mark.parametrize("case", ENLARGED)
def test_enlarging_by_hand(case: str) -> None:
    height, width, box, expected = ENLARGED[case]
    enlarged = enlarge(torch.tensor([box], dtype=torch.float32), height, width)
    torch.testing.assert_close(enlarged, torch.tensor([expected], dtype=torch.float32))
