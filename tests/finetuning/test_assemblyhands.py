"""Reading AssemblyHands' layout."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import LabelledSetError
from simhand.finetuning.assemblyhands import ORDER, hand_boxes_squares, read_assemblyhands
from simhand.finetuning.labelled import project
from simhand.finetuning.settings import ReadSettings
from simhand.joints import JOINTS

READ = ReadSettings()
OFFICIAL = ReadSettings(behaviour="official")
K = [[250.0, 0.0, 320.0], [0.0, 255.0, 240.0], [0.0, 0.0, 1.0]]
TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # from world to camera
SHIFT_MM = np.array([10.0, -20.0, 400.0])
RIGHT_BOX, LEFT_BOX = [350.0, 180.0, 430.0, 250.0], [200.0, 190.0, 270.5, 261.0]

# The layout's joints of one hand, by the names of the common order.
FINGERS = ("thumb", "index", "middle", "ring", "little")
PLACES = ("tip", "upper", "lower", "base")
NAMES = [f"{finger}_{place}" for finger in FINGERS for place in PLACES] + ["wrist"]


def in_box(rng: np.random.Generator, box: list[float]) -> np.ndarray:
    """Joints (21, 3) in the camera's frame, in millimetres, that are seen in a box."""
    low, high = np.array(box[:2]), np.array(box[2:])
    pixels, depth = rng.uniform(low, high, (21, 2)), rng.uniform(350, 450, 21)
    rays = np.column_stack([(pixels[:, 0] - 320) / 250, (pixels[:, 1] - 240) / 255, np.ones(21)])
    return rays * depth[:, None]


def to_world(joints_mm: np.ndarray) -> np.ndarray:
    return (joints_mm - SHIFT_MM) @ TURN


class Written:
    """A set of one recording with two moments; what is in its files can be changed and written again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        rng = np.random.default_rng(0)
        self.camera_mm = {
            frame: np.concatenate([in_box(rng, RIGHT_BOX), in_box(rng, LEFT_BOX)]) for frame in ("000004", "000012")
        }
        file = "ego_images_rectified/{part}/one/HMC_1_mono10bit/"
        self.images = [
            {"id": 7 + i, "seq_name": "one", "camera": "HMC_1", "width": 636, "height": 480, "frame_idx": int(frame)}
            | {"file_name": f"{file}{frame}.jpg"}
            for i, frame in enumerate(self.camera_mm)
        ]
        boxes = {"right": RIGHT_BOX, "left": LEFT_BOX}
        self.annotations: list[dict[str, Any]] = [
            {"id": i, "image_id": 7 + i, "bbox": dict(boxes), "joint_valid": [1] * 42} for i in range(2)
        ]
        pose = np.column_stack([TURN, SHIFT_MM]).tolist()
        extrinsics = {frame: {"HMC_1_mono10bit": pose} for frame in self.camera_mm}
        self.calibration: dict[str, Any] = {"one": {"intrinsics": {"HMC_1_mono10bit": K}, "extrinsics": extrinsics}}
        self.joints: dict[str, Any] = {
            "one": {
                frame: {"world_coord": to_world(joints).tolist(), "joint_valid": [[1]] * 42}
                for frame, joints in self.camera_mm.items()
            }
        }
        self.write("train")
        self.write("val")

    def write(self, part: str) -> None:
        images = [image | {"file_name": image["file_name"].replace("{part}", part)} for image in deepcopy(self.images)]
        folder = self.root / "annotations" / part
        folder.mkdir(parents=True, exist_ok=True)
        for kind, value in (
            ("ego_data", {"images": images, "annotations": self.annotations}),
            ("ego_calib", {"calibration": self.calibration}),
            ("joint_3d", {"annotations": self.joints}),
        ):
            (folder / f"assemblyhands_{part}_{kind}_v1-1.json").write_text(json.dumps(value))
        for image in images:
            path = self.root / "images" / image["file_name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def test_the_order_of_joints() -> None:
    assert [NAMES[place] for place in ORDER] == list(JOINTS)


def test_both_hands_of_an_image(written: Written) -> None:
    hands = read_assemblyhands(written.root, "training", READ)
    image = "ego_images_rectified/train/one/HMC_1_mono10bit/000004.jpg"
    assert hands.names[:2].tolist() == [f"{image}#right", f"{image}#left"]
    assert hands.images[:2].tolist() == [f"images/{image}"] * 2
    assert hands.flipped.tolist() == [False, True] * 2
    assert hands.views.tolist() == ["HMC_1"] * 4
    assert hands.labels.tolist() == [0, 1, 2, 3]
    assert hands.sequences.tolist() == [0] * 4
    assert hands.seen.all()
    assert np.isnan(hands.hidden).all()


@pytest.mark.parametrize(("settings", "axis"), [(READ, 635), (OFFICIAL, 636)])
def test_joints_by_name(written: Written, settings: ReadSettings, axis: int) -> None:
    hands = read_assemblyhands(written.root, "training", settings)
    for side, row in (("right", 0), ("left", 1)):
        for joint, name in enumerate(JOINTS):
            x, y, z = written.camera_mm["000004"][NAMES.index(name) + (0 if side == "right" else 21)]
            u, v = 250 * x / z + 320, 255 * y / z + 240
            expected = ((x, y, z), (u, v)) if side == "right" else ((-x, y, z), (axis - u, v))
            np.testing.assert_allclose(hands.joints_mm[row, joint], expected[0], atol=1e-9)
            np.testing.assert_allclose(hands.keypoints_px[row, joint], expected[1], atol=1e-9)
    np.testing.assert_allclose(project(hands.joints_mm, hands.cameras), hands.keypoints_px)


def test_squares_by_hand(written: Written) -> None:
    hands = read_assemblyhands(written.root, "training", READ)
    assert hands.sides_px[:2].tolist() == [140, 124]  # 1.75 times 80 and 71, cut off
    np.testing.assert_array_equal(hands.centers_px[0], (320 + 70, 145 + 70))  # box from 320, 145
    np.testing.assert_array_equal(hands.centers_px[1], (635 - (173 + 62), 163 + 62))  # 235.25 - 62 and 225.5 - 62


@given(st.floats(0, 600), st.floats(0, 450), st.floats(0, 400, exclude_min=True), st.floats(0, 400, exclude_min=True))
def test_squares_hold_their_boxes(x: float, y: float, width: float, height: float) -> None:
    (corner,), (side,) = hand_boxes_squares(np.array([[x, y, x + width, y + height]]))
    assert side == max(100, int(1.75 * max(width, height))) or abs(side - 1.75 * max(width, height)) < 1 + 1e-6
    middle = np.array([x + width / 2, y + height / 2])
    assert (np.abs(corner + side / 2 - middle) <= 1).all()


def test_invalid_joints_are_masked(written: Written) -> None:
    written.annotations[0]["joint_valid"] = [[int(joint not in (0, 25))] for joint in range(42)]
    written.joints["one"]["000004"]["joint_valid"] = [int(joint != 19) for joint in range(42)]
    written.write("train")
    hands = read_assemblyhands(written.root, "training", READ)
    unseen = [[JOINTS[joint] for joint in np.flatnonzero(~row)] for row in hands.seen]
    assert unseen == [["thumb_tip", "little_base"], ["index_tip"], [], []]
    assert np.isnan(hands.joints_mm[~hands.seen]).all()
    assert np.isfinite(hands.joints_mm[hands.seen]).all()


@pytest.mark.parametrize("joint", ["thumb_tip", "ring_base"])
def test_joints_outside_of_the_square_or_the_image(written: Written, joint: str) -> None:
    """The official test whether they are in the crop never fails."""
    place = NAMES.index(joint)
    for frame, pixel in (("000004", 319.2), ("000012", 319.7)):  # the square begins at 320, the middle of its pixel
        written.camera_mm[frame][place] = ((pixel - 320) / 250 * 400, 0, 400)
        written.joints["one"][frame]["world_coord"] = to_world(written.camera_mm[frame]).tolist()
    written.write("train")
    seen = read_assemblyhands(written.root, "training", READ).seen[:, JOINTS.index(joint)]
    assert seen.tolist() == [False, True, True, True]
    hands = read_assemblyhands(written.root, "training", OFFICIAL)
    assert hands.seen.all()
    assert np.isfinite(hands.joints_mm).all()


def test_joints_outside_of_the_image(written: Written) -> None:
    x, _, z = written.camera_mm["000004"][:21].T
    u = (250 * x / z + 320)[list(ORDER)]
    width = int(max(u[[0, 9]])) + 2  # wrist and middle_base stay
    written.images[0]["width"] = width
    written.write("train")
    hands = read_assemblyhands(written.root, "training", READ)
    assert hands.names[0].endswith("000004.jpg#right")
    assert hands.seen[0].tolist() == (u < width - 0.5).tolist()
    assert not hands.seen[0].all()


@pytest.mark.parametrize(
    ("lost", "kept"),
    [([20], False), ([11], False), (range(11), True), ([*range(11), 12], False)],  # wrist, middle_base, many, one more
)
def test_hands_with_too_few_joints_are_left_out(written: Written, lost: Any, kept: bool) -> None:
    written.annotations[1]["joint_valid"] = [int(joint not in lost) for joint in range(42)]
    written.write("train")
    names = read_assemblyhands(written.root, "training", READ).names
    assert any(name.endswith("000012.jpg#right") for name in names) == kept
    assert len(names) == 3 + kept


def test_a_hand_without_a_box_is_left_out(written: Written) -> None:
    written.annotations[0]["bbox"] = {"right": None, "left": LEFT_BOX}
    del written.annotations[1]["bbox"]["left"]
    written.write("train")
    names = read_assemblyhands(written.root, "training", READ).names.tolist()
    assert [Path(name).name for name in names] == ["000004.jpg#left", "000012.jpg#right"]


def test_images_without_joints_are_left_out(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    del written.joints["one"]["000004"]
    written.write("train")
    assert len(read_assemblyhands(written.root, "training", READ)) == 2
    assert "1 images: left out, they have no 3D joints or no camera: ego_images_rectified/train/one" in caplog.text


def test_other_views_of_a_moment_share_its_label(written: Written) -> None:
    written.images[1] |= {"camera": "HMC_2", "frame_idx": 4}
    calibration = written.calibration["one"]
    calibration["intrinsics"]["HMC_2_mono10bit"] = K
    calibration["extrinsics"]["000004"]["HMC_2_mono10bit"] = calibration["extrinsics"]["000004"]["HMC_1_mono10bit"]
    written.write("train")
    hands = read_assemblyhands(written.root, "training", READ)
    assert hands.labels.tolist() == [0, 1, 0, 1]
    assert hands.views.tolist() == ["HMC_1"] * 2 + ["HMC_2"] * 2


def test_evaluation_on_val_where_test_has_no_joints(written: Written) -> None:
    with pytest.raises(LabelledSetError, match=r"(?s)annotations/test.*evaluation_split: val"):
        read_assemblyhands(written.root, "evaluation", READ)
    hands = read_assemblyhands(written.root, "evaluation", ReadSettings(evaluation_split="val"))
    assert hands.images[0] == "images/ego_images_rectified/val/one/HMC_1_mono10bit/000004.jpg"


def test_a_missing_image_is_named(written: Written) -> None:
    (written.root / "images/ego_images_rectified/train/one/HMC_1_mono10bit/000012.jpg").unlink()
    said = r"expected 2 train images, found 1; first missing images/ego_images_rectified/train/.*/000012\.jpg"
    with pytest.raises(LabelledSetError, match=said):
        read_assemblyhands(written.root, "training", READ)


def test_a_set_without_a_hand_is_refused(written: Written) -> None:
    for annotation in written.annotations:
        annotation["bbox"] = {"right": None, "left": None}
    written.write("train")
    with pytest.raises(LabelledSetError, match="no hand of train has a box and enough joints"):
        read_assemblyhands(written.root, "training", READ)


def test_labels_of_another_shape_are_refused(written: Written) -> None:
    written.joints["one"]["000004"]["world_coord"] = [[0, 0, 1]] * 41
    written.write("train")
    with pytest.raises(LabelledSetError, match="labels of another layout"):
        read_assemblyhands(written.root, "training", READ)


@pytest.mark.parametrize("kind", ["ego_data", "ego_calib", "joint_3d"])
@pytest.mark.parametrize("content", ["{", "{}", '{"images": 1, "annotations": 1, "calibration": 1}', "[]"])
def test_damaged_labels_are_refused(written: Written, kind: str, content: str) -> None:
    (written.root / "annotations" / "train" / f"assemblyhands_train_{kind}_v1-1.json").write_text(content)
    with pytest.raises(LabelledSetError, match=r"cannot read labels|labels of another layout"):
        read_assemblyhands(written.root, "training", READ)
