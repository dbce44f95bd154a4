"""Reading FreiHAND's layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simhand.errors import LabelledSetError
from simhand.finetuning.formats import READERS
from simhand.finetuning.freihand import read_freihand


def test_labels_in_millimetres_and_pixels(labelled: Path) -> None:
    hands = read_freihand(labelled, "training")
    joints_m = np.array(json.loads((labelled / "training_xyz.json").read_text()))
    cameras = json.loads((labelled / "training_K.json").read_text())
    assert len(hands) == 8
    assert hands.images[3] == "training/rgb/00000003.jpg"
    np.testing.assert_allclose(hands.joints_mm, 1000 * joints_m)
    x, y, z = joints_m[3, 7]
    focal, _, center = cameras[3][0]
    np.testing.assert_allclose(hands.keypoints_px[3, 7], (focal * x / z + center, focal * y / z + center))
    extent = (hands.keypoints_px.max(axis=1) - hands.keypoints_px.min(axis=1)).max(axis=1)
    np.testing.assert_allclose(hands.sides_px, 2 * extent)


def test_splits_have_their_own_files(labelled: Path) -> None:
    hands = READERS["freihand"](labelled, "evaluation")
    assert hands.images == tuple(f"evaluation/rgb/0000000{row}.jpg" for row in range(3))


def test_several_backgrounds_share_labels(tmp_path: Path, write_set: Any) -> None:
    hands = read_freihand(write_set(tmp_path / "set", training=3, backgrounds=4), "training")
    assert len(hands) == 12
    assert hands.labels.tolist() == [0, 1, 2] * 4
    np.testing.assert_array_equal(hands.joints_mm[1], hands.joints_mm[10])


def test_missing_evaluation_labels_say_where_they_come_from(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    (root / "evaluation_xyz.json").unlink()
    with pytest.raises(LabelledSetError, match=r"evaluation_xyz\.json(.|\n)*FreiHAND_pub_v2_eval"):
        read_freihand(root, "evaluation")


def test_a_folder_of_something_else_is_told_the_layout(tmp_path: Path) -> None:
    with pytest.raises(LabelledSetError, match=r"training/rgb/00000000\.jpg"):
        read_freihand(tmp_path, "training")


def test_a_missing_image_is_named(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    (root / "training" / "rgb" / "00000005.jpg").unlink()
    with pytest.raises(LabelledSetError, match=r"8 images, or a multiple(.|\n)*7 images, 00000005\.jpg is missing"):
        read_freihand(root, "training")


def test_a_split_without_images_is_refused(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    for image in (root / "training" / "rgb").iterdir():
        image.unlink()
    with pytest.raises(LabelledSetError, match=r"0 images, 00000000\.jpg is missing"):
        read_freihand(root, "training")


def test_images_must_be_a_multiple_of_labels(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    images = root / "training" / "rgb"
    (images / "00000008.jpg").write_bytes((images / "00000000.jpg").read_bytes())
    with pytest.raises(LabelledSetError, match="9 images"):
        read_freihand(root, "training")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("training_xyz.json", "[[1, 2", "cannot read labels"),
        ("training_xyz.json", "{}", "cannot read labels"),
        ("training_xyz.json", "[]", "another shape"),
        ("training_xyz.json", "[[[1, 2, 3]]]", "another shape"),
        ("training_xyz.json", "[[1, 2, 3], [1, 2]]", "cannot read labels"),
        ("training_xyz.json", json.dumps([[[0, 0, float("nan")]] * 21] * 8), "another shape"),
        ("training_xyz.json", json.dumps([[[0, 0, 1]] * 20 + [[0, 0, -1]]] * 8), "behind its camera"),
        ("training_K.json", json.dumps([[[1, 0, 0], [0, 1, 0], [0, 0, 1]]] * 7), "not one camera a label"),
    ],
)
def test_damaged_labels_are_refused(tmp_path: Path, write_set: Any, name: str, content: str, said: str) -> None:
    root = write_set(tmp_path / "set")
    (root / name).write_text(content)
    with pytest.raises(LabelledSetError, match=said):
        read_freihand(root, "training")
