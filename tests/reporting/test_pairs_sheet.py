"""The sheet of augmented pairs: every view in its place, the keypoints over it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from simhand.errors import TableError
from simhand.reporting.inputs import Run
from simhand.reporting.pairs_sheet import pairs_sheet


def test_each_view_stands_in_its_place(pretraining: dict[str, Run], drawn: list[Figure], tmp_path: Path) -> None:
    pairs_sheet(pretraining["simhand"].pairs, "$a_$", "of another video", tmp_path / "sheet.png")
    image = cv2.imread(str(tmp_path / "sheet.png"))
    to_px = drawn[0].axes[0].transData
    for pair in range(8):
        for line in range(2):
            x, y = to_px.transform((pair * 1.05 + 0.9, line * 1.05 + 0.1)) * 1.2  # of the default 100 dpi to 120
            pixel = image[image.shape[0] - round(y), round(x)]
            np.testing.assert_array_equal(pixel, [20 * pair + 10 * line] * 3)
    texts = [text.get_text() for text in drawn[0].axes[0].texts]
    assert texts[:4] == ["$a_$", "of another video", "hand", "positive"]
    assert texts[4:] == ["row 0", *(f"row {row},000" for row in range(1, 8))]


def test_keypoints_lie_on_their_view(pretraining: dict[str, Run], drawn: list[Figure], tmp_path: Path) -> None:
    pairs_sheet(pretraining["simhand"].pairs, "a", "b", tmp_path / "sheet.png")
    axes = drawn[0].axes[0]
    bones = [each for each in axes.collections if isinstance(each, LineCollection)]
    assert len(bones) == 2 * 16  # a rim and a line
    last = bones[-1].get_segments()
    assert len(last) == 5
    wrist, tip = last[4][0], last[4][-1]  # at 8 and 24 of 32 px
    np.testing.assert_allclose(wrist, [7 * 1.05 + 0.25, 1.05 + 0.25])
    np.testing.assert_allclose(tip, [7 * 1.05 + 0.75, 1.05 + 0.75])


def test_nothing_is_drawn_beside_the_view(tmp_path: Path) -> None:
    images = np.zeros((1, 2, 8, 8, 3), np.uint8)
    keypoints_px = np.full((1, 2, 21, 2), 4, np.float32)
    keypoints_px[:, :, 4] = 400  # the thumb's tip, far outside
    for name, points in (("inside", np.full_like(keypoints_px, 4)), ("outside", keypoints_px)):
        np.savez(tmp_path / f"{name}.npz", images=images, keypoints_px=points, rows=np.zeros(1, np.int64))
        pairs_sheet(tmp_path / f"{name}.npz", "", "", tmp_path / f"{name}.png")
    inside, outside = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("inside", "outside"))
    differing = np.argwhere((inside != outside).any(axis=2))
    tile = 1.15 * 120  # px
    first = (0.3 * tile, 0.2 * tile)  # the upper left corner of the hand's view
    assert len(differing) > 0
    assert (differing.min(axis=0) >= np.array(first) + tile / 2 - 4).all()
    right = 1.2 * tile
    assert differing[:, 1].max() <= right + 1
    gap = (differing[:, 0] > 1.3 * tile + 1) & (differing[:, 0] < 1.35 * tile - 1)  # between hand and positive
    assert not gap.any()


@pytest.mark.parametrize("content", [None, b"", b"PK no zip", b"text"])
def test_a_damaged_sample_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pairs.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TableError, match=r"cannot read a sample of pairs(.|\n)*pairs\.npz"):
        pairs_sheet(path, "a", "b", tmp_path / "sheet.png")
    np.savez(path, images=np.zeros(3))
    with pytest.raises(TableError, match="keypoints_px"):
        pairs_sheet(path, "a", "b", tmp_path / "sheet.png")
