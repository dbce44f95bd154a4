from __future__ import annotations

import numpy as np
import torch

from simhand.hands.hundred_doh.anchors import base_anchors, grid_anchors


def test_the_first_cell_by_hand() -> None:
    """Sides 23 x 12, 16 x 16 and 11 x 22, times 8 to 64, around (7.5, 7.5), last pixels included."""
    sides = [(k * width, k * height) for width, height in ((23, 12), (16, 16), (11, 22)) for k in (8, 16, 32, 64)]
    expected = [[8 - w / 2, 8 - h / 2, 7 + w / 2, 7 + h / 2] for w, h in sides]
    assert base_anchors().tolist() == expected
    assert base_anchors()[[0, 4, 8]].tolist() == [[-84, -40, 99, 55], [-56, -56, 71, 71], [-36, -80, 51, 95]]


def test_the_cells_of_a_grid() -> None:
    anchors = grid_anchors(2, 3, torch.device("cpu")).reshape(2, 3, 12, 4)
    assert anchors.dtype == torch.float32
    for row in range(2):
        for column in range(3):
            moved = base_anchors() + np.array([16 * column, 16 * row, 16 * column, 16 * row])
            assert anchors[row, column].tolist() == moved.tolist()
