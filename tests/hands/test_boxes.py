from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.hands.boxes import clipped_square, cut, iou, resize, square_around

numbers = st.floats(-300, 300)
boxes = st.tuples(numbers, numbers, st.floats(1, 300), st.floats(1, 300)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def test_iou_by_hand() -> None:
    assert iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert iou((0, 0, 1, 1), (2, 2, 3, 3)) == 0
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0


@given(boxes, boxes)
def test_iou_is_symmetric_and_bounded(a: tuple, b: tuple) -> None:
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert 0 <= iou(a, b) <= 1 + 1e-9
    assert iou(a, a) == pytest.approx(1)


def test_the_square_by_hand() -> None:
    assert square_around((10, 20, 110, 60), 1.3) == (-5, -25, 125, 105)


@given(boxes, st.floats(1, 3))
def test_the_square_is_square_and_holds_the_box(box: tuple, scale: float) -> None:
    x1, y1, x2, y2 = square_around(box, scale)
    assert x2 - x1 == y2 - y1
    assert min(box[0] - x1, box[1] - y1, x2 - box[2], y2 - box[3]) > -1.5  # whole pixels
    assert (x1 + x2) / 2 == pytest.approx((box[0] + box[2]) / 2, abs=1)


def test_the_official_square_by_hand() -> None:
    # box 100 x 40: grows to 130 x 52; half of the longer side is 65, cut off at the left and upper border
    assert clipped_square((10, 20, 110, 60), 1.3, 640, 480) == (0, 0, 125, 105)
    assert clipped_square((500, 400, 639, 479), 1.3, 640, 480) == (480, 350, 640, 480)


def test_cut_is_black_beyond_the_border() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) + 1
    assert cut(image, (0, 0, 2, 2)).tolist() == image.tolist()
    padded = cut(image, (-1, 1, 2, 4))
    assert padded.shape == (3, 3, 3)
    assert padded[0, 1:].tolist() == image[1].tolist()
    assert padded[1:].sum() == padded[:, 0].sum() == 0
    assert cut(image, (5, 5, 8, 8)).tolist() == np.zeros((3, 3, 3)).tolist()


def test_shrinking_averages() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[::2, ::2] = 200
    assert (resize(image, 2) == 50).all()
