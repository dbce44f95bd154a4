"""Reading FreiHAND's layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import LabelledSetError
from simhand.finetuning.formats import READERS
from simhand.finetuning.freihand import official_labels, read_freihand
from simhand.finetuning.labelled import read_image
from simhand.finetuning.settings import ReadSettings

READ = ReadSettings()


def test_labels_in_millimetres_and_pixels(labelled: Path) -> None:
    hands = read_freihand(labelled, "training", READ)
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
    hands = READERS["freihand"](labelled, "evaluation", READ)
    assert hands.images.tolist() == [f"evaluation/rgb/0000000{row}.jpg" for row in range(3)]


def test_several_backgrounds_share_labels(tmp_path: Path, write_set: Any) -> None:
    hands = read_freihand(write_set(tmp_path / "set", training=3, backgrounds=4), "training", READ)
    assert len(hands) == 12
    assert hands.labels.tolist() == [0, 1, 2] * 4
    np.testing.assert_array_equal(hands.joints_mm[1], hands.joints_mm[10])


def test_missing_evaluation_labels_say_where_they_come_from(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    (root / "evaluation_xyz.json").unlink()
    with pytest.raises(LabelledSetError, match=r"evaluation_xyz\.json(.|\n)*FreiHAND_pub_v2_eval"):
        read_freihand(root, "evaluation", READ)


def test_a_folder_of_something_else_is_told_the_layout(tmp_path: Path) -> None:
    with pytest.raises(LabelledSetError, match=r"training/rgb/00000000\.jpg"):
        read_freihand(tmp_path, "training", READ)


def test_a_missing_image_is_named(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    (root / "training" / "rgb" / "00000005.jpg").unlink()
    with pytest.raises(
        LabelledSetError, match=r"expected 8 training images, found 7; first missing training/rgb/00000005\.jpg"
    ):
        read_freihand(root, "training", READ)


def test_a_split_without_images_is_refused(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    for image in (root / "training" / "rgb").iterdir():
        image.unlink()
    with pytest.raises(
        LabelledSetError, match=r"expected 8 training images, found 0; first missing training/rgb/00000000\.jpg"
    ):
        read_freihand(root, "training", READ)


def test_images_must_be_one_or_four_a_label(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    images = root / "training" / "rgb"
    (images / "00000008.jpg").write_bytes((images / "00000000.jpg").read_bytes())
    with pytest.raises(
        LabelledSetError, match=r"expected 32 training images, found 9; first missing training/rgb/00000009\.jpg"
    ):
        read_freihand(root, "training", READ)


def write_plain(root: Path, labels: int, images: int) -> Path:
    """Labels of one hand again and again, and empty files for images."""
    (root / "training" / "rgb").mkdir(parents=True)
    (root / "training_xyz.json").write_text(json.dumps([[[0, 0, 1]] * 21] * labels))
    (root / "training_K.json").write_text(json.dumps([np.eye(3).tolist()] * labels))
    for row in range(images):
        (root / "training" / "rgb" / f"{row:08d}.jpg").touch()
    return root


def test_large_counts_are_readable(tmp_path: Path) -> None:
    root = write_plain(tmp_path, 400, 1500)
    said = r"expected 1,600 training images, found 1,500; first missing training/rgb/00001500\.jpg"
    with pytest.raises(LabelledSetError, match=said):
        read_freihand(root, "training", READ)


def test_too_many_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelledSetError, match="expected 3 or 12 training images, found 13"):
        read_freihand(write_plain(tmp_path, 3, 13), "training", READ)


@pytest.mark.parametrize(
    ("backgrounds", "rows"),
    [
        (("gs",), [0, 1, 2]),
        (("auto", "hom"), [3, 4, 5, 9, 10, 11]),
        (("gs", "hom", "sample", "auto"), list(range(12))),
    ],
)
def test_backgrounds_by_name(tmp_path: Path, backgrounds: Any, rows: list[int]) -> None:
    hands = read_freihand(write_plain(tmp_path, 3, 12), "training", ReadSettings(backgrounds=backgrounds))
    assert hands.images.tolist() == [f"training/rgb/{row:08d}.jpg" for row in rows]
    assert hands.labels.tolist() == [row % 3 for row in rows]


def test_backgrounds_cannot_be_chosen_of_one(tmp_path: Path, write_set: Any) -> None:
    root = write_set(tmp_path / "set")
    with pytest.raises(LabelledSetError, match=r"(?s)backgrounds.*expected: +32 training images.*got: +8"):
        read_freihand(root, "training", ReadSettings(backgrounds=("hom",)))
    assert len(read_freihand(root, "training", ReadSettings(backgrounds=("gs",)))) == 8  # the first is what it has
    assert len(read_freihand(root, "evaluation", ReadSettings(backgrounds=("gs",)))) == 3  # has one, always


@given(labels=st.integers(2, 500))
def test_officially_one_training_label_is_left_out(labels: int) -> None:
    kept = official_labels(labels)
    dropped = np.random.RandomState(5).permutation(labels)[0]  # scikit-learn's split, with its test set of one
    assert kept.tolist() == [label for label in range(labels) if label != dropped]


def test_the_official_number_of_images(tmp_path: Path) -> None:
    assert set(range(32_560)) - set(official_labels(32_560).tolist()) == {32_263}  # spec: section 10
    hands = read_freihand(write_plain(tmp_path, 6, 24), "training", ReadSettings(behaviour="official"))
    assert len(hands) == 20
    assert 5 not in hands.labels


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
        read_freihand(root, "training", READ)


@pytest.mark.parametrize(("split", "count"), [("training", 160), ("evaluation", 40)])
def test_real_hands(shared: Path, split: Any, count: int) -> None:
    hands = read_freihand(shared / "labelled" / "freihand_format", split, READ)
    assert len(hands) == count
    size = np.array(read_image(hands.root / hands.images[0]).shape[:0:-1])
    within = ((hands.keypoints_px >= 0) & (hands.keypoints_px < size)).all(axis=-1)
    assert within.mean() > 0.99
    bones_mm = np.linalg.norm(hands.joints_mm[:, 9] - hands.joints_mm[:, 0], axis=1)
    assert ((bones_mm > 60) & (bones_mm < 120)).all()
