from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from simhand.hands.hundred_doh import proposals
from simhand.hands.hundred_doh.anchors import base_anchors, grid_anchors
from simhand.hands.hundred_doh.proposals import propose, with_image
from tests.hands.hundred_doh.legacy import kept


def made_up_maps(batch: int, rows: int, columns: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(batch, 24, rows, columns, generator=generator)
    return scores, 0.3 * torch.randn(batch, 48, rows, columns, generator=generator)


def expected(scores: Tensor, deltas: Tensor, height: int, width: int, candidates: int = 6000) -> np.ndarray:
    """The regions of one image, anchor by anchor: float32 (at most 300, 4)."""
    boxes, probabilities = [], []
    _, rows, columns = scores.shape
    for row in range(rows):
        for column in range(columns):
            for a, anchor in enumerate(base_anchors() + np.array([column, row, column, row], np.float32) * 16):
                background, foreground = scores[[a, 12 + a], row, column].tolist()
                probabilities.append(1 / (1 + np.exp(background - foreground)))
                dx, dy, dw, dh = deltas[4 * a : 4 * a + 4, row, column].numpy()
                w, h = anchor[2] - anchor[0] + 1, anchor[3] - anchor[1] + 1
                x, y = anchor[0] + w / 2 + dx * w, anchor[1] + h / 2 + dy * h
                w, h = np.exp(dw) * w, np.exp(dh) * h
                boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    best = np.argsort(-np.array(probabilities), kind="stable")[:candidates]
    clipped = np.clip(np.array(boxes), 0, [width - 1, height - 1, width - 1, height - 1]).astype(np.float32)[best]
    return clipped[kept(clipped, np.array(probabilities)[best], 0.7)][:300]


def test_few_regions_and_zeros_after_them() -> None:
    scores, deltas = made_up_maps(1, 2, 3)  # 72 anchors
    (own,) = propose(scores, deltas, 32, 48)
    regions = expected(scores[0], deltas[0], 32, 48)
    assert 3 < len(regions) < 72
    np.testing.assert_allclose(own[: len(regions)], regions, atol=1e-3)
    assert own.shape == (300, 4)
    assert not own[len(regions) :].any()


def test_no_more_than_three_hundred_and_the_best_come_first() -> None:
    scores, deltas = made_up_maps(1, 20, 20)
    deltas.unflatten(1, (12, 4))[:, :, 2:] -= 3  # small boxes, which overlap rarely
    (own,) = propose(scores, deltas, 320, 320)
    regions = expected(scores[0], deltas[0], 320, 320)
    assert len(regions) == 300
    np.testing.assert_allclose(own, regions, atol=1e-3)


def test_candidates_beyond_the_best_count_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, deltas = made_up_maps(1, 4, 4)
    monkeypatch.setattr(proposals, "_CANDIDATES", 10)
    (own,) = propose(scores, deltas, 64, 64)
    regions = expected(scores[0], deltas[0], 64, 64, candidates=10)
    assert 1 < len(regions) <= 10
    np.testing.assert_allclose(own[: len(regions)], regions, atol=1e-3)
    assert not own[len(regions) :].any()


def test_the_best_six_thousand_are_candidates() -> None:
    """All lie on one place but the last candidate, and the first that is none."""
    anchors = grid_anchors(24, 24, torch.device("cpu"))  # (6912, 4)
    corners = torch.zeros(len(anchors), 1)
    corners[5999], corners[6000] = 300, 150
    sizes = anchors[:, 2:] - anchors[:, :2] + 1
    centres = anchors[:, :2] + sizes / 2
    wanted = torch.cat([(corners + 25 - centres) / sizes, torch.log(50 / sizes)], dim=1)
    scores = torch.linspace(5, 0, len(anchors)).reshape(1, 24, 24, 12).permute(0, 3, 1, 2)
    deltas = wanted.reshape(1, 24, 24, 48).permute(0, 3, 1, 2)
    (own,) = propose(torch.cat([torch.zeros_like(scores), scores], dim=1), deltas, 384, 384)
    expected = torch.tensor([[0.0, 0, 50, 50], [300, 300, 350, 350]])
    torch.testing.assert_close(own[:2], expected, rtol=0, atol=1e-3)
    assert not own[2:].any()


def test_each_image_of_a_batch_is_as_alone() -> None:
    scores, deltas = made_up_maps(3, 5, 7)
    together = propose(scores, deltas, 80, 112)
    for image in range(3):
        assert torch.equal(together[image], propose(scores[[image]], deltas[[image]], 80, 112)[0])
    assert not torch.equal(together[0], together[1])


def test_of_equal_scores_the_first_anchor_comes_first() -> None:
    scores, deltas = torch.zeros(1, 24, 1, 30), torch.zeros(1, 48, 1, 30)
    deltas.unflatten(1, (12, 4))[:, :, 2:, 0, 10:] = -3  # the boxes of cells on the right are small
    (own,) = propose(scores, deltas, 16, 480)
    regions = expected(scores[0], deltas[0], 16, 480)
    np.testing.assert_allclose(own[: len(regions)], regions, atol=1e-3)
    assert own[0].tolist() == [0, 0, 100, 15]  # anchor 0 of cell 0, -84 to 99 and one more, clipped
    scores[0, 12, 0, 20] = 1e-4
    (own,) = propose(scores, deltas, 16, 480)
    assert own[1].tolist() == [0, 0, 100, 15]
    assert own[0, 0] > 200


def test_regions_are_numbered_by_their_image() -> None:
    regions = torch.arange(24.0).reshape(2, 3, 4)
    numbered = with_image(regions)
    assert numbered[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert torch.equal(numbered[:, 1:], regions.reshape(6, 4))
