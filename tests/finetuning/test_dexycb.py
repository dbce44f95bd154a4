"""Reading DexYCB's layout."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from simhand.errors import LabelledSetError
from simhand.finetuning.dexycb import read_dexycb
from simhand.finetuning.dexycb_parts import PARTS, SERIALS, SUBJECTS
from simhand.finetuning.labelled import project
from simhand.finetuning.settings import ReadSettings

READ = ReadSettings()
OFFICIAL = ReadSettings(behaviour="official")
FOCAL_PX, CENTRE_PX = 600.0, {SERIALS[0]: (310.0, 250.0), SERIALS[7]: (325.0, 235.0)}
RIGHT, LEFT = f"{SUBJECTS[0]}/20200709_140000", f"{SUBJECTS[1]}/20200813_150000"


def a_hand(seed: int) -> np.ndarray:
    """Joints (21, 3) in metres that all lie in the picture."""
    rng = np.random.default_rng(seed)
    return rng.uniform((-0.15, -0.15, 0.6), (0.15, 0.15, 0.9), (21, 3)).astype(np.float32)


def pixels(joints_m: np.ndarray, serial: str) -> np.ndarray:
    return (FOCAL_PX * joints_m[:, :2] / joints_m[:, 2:] + CENTRE_PX[serial]).astype(np.float32)


def write_frame(
    folder: Path, frame: int, joints_m: np.ndarray, keypoints_px: np.ndarray, seg: np.ndarray | None = None
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    seg = np.full((480, 640), 255, np.uint8) if seg is None else seg
    np.savez_compressed(
        folder / f"labels_{frame:06d}.npz", seg=seg, joint_3d=joints_m[None], joint_2d=keypoints_px[None]
    )
    (folder / f"color_{frame:06d}.jpg").touch()


def write_meta(folder: Path, side: str, frames: int) -> None:
    meta = {"serials": list(SERIALS), "num_frames": frames, "mano_sides": [side], "mano_calib": ["x"], "ycb_ids": [2]}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.yml").write_text(yaml.safe_dump(meta))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two recordings of three frames by two cameras for training, a right and a left hand, and one for evaluation."""
    (tmp_path / "calibration" / "intrinsics").mkdir(parents=True)
    for serial, (x, y) in CENTRE_PX.items():
        colour = {"fx": FOCAL_PX, "fy": FOCAL_PX, "ppx": x, "ppy": y}
        path = tmp_path / "calibration" / "intrinsics" / f"{serial}_640x480.yml"
        path.write_text(yaml.safe_dump({"color": colour}))
    for seed, (name, side) in enumerate(((RIGHT, "right"), (LEFT, "left"), (f"{SUBJECTS[7]}/20201002_1", "left"))):
        write_meta(tmp_path / name, side, 3)
        for serial in CENTRE_PX:
            for frame in range(3):
                joints = a_hand(10 * seed + frame)
                write_frame(tmp_path / name / serial, frame, joints, pixels(joints, serial))
    return tmp_path


def rows_of(hands: Any, folder: str) -> list[int]:
    return [row for row, name in enumerate(hands.names) if name.startswith(folder)]


def test_right_hands_as_they_are(root: Path) -> None:
    hands = read_dexycb(root, "training", READ)
    assert len(hands) == 12
    row = rows_of(hands, f"{RIGHT}/{SERIALS[7]}")[1]
    joints = a_hand(1).astype(np.float64)
    assert hands.images[row] == f"{RIGHT}/{SERIALS[7]}/color_000001.jpg"
    assert not hands.flipped[row]
    np.testing.assert_allclose(hands.joints_mm[row], 1000 * joints)
    np.testing.assert_allclose(hands.keypoints_px[row], 600 * joints[:, :2] / joints[:, 2:] + (325, 235), atol=1e-4)
    np.testing.assert_array_equal(hands.cameras[row], [[600, 0, 325], [0, 600, 235], [0, 0, 1]])
    low, high = hands.keypoints_px[row].min(axis=0), hands.keypoints_px[row].max(axis=0)
    np.testing.assert_array_equal(hands.centers_px[row], ((low + high) / 2).astype(int))
    assert hands.sides_px[row] == 1.75 * (high - low).max()


@pytest.mark.parametrize(("settings", "axis"), [(READ, 639), (OFFICIAL, 640)])
def test_left_hands_in_the_mirrored_image(root: Path, settings: ReadSettings, axis: int) -> None:
    hands = read_dexycb(root, "training", settings)
    row = rows_of(hands, f"{LEFT}/{SERIALS[0]}")[2]
    joints = a_hand(12).astype(np.float64)
    assert hands.flipped[row]
    np.testing.assert_allclose(hands.joints_mm[row], 1000 * joints * [-1, 1, 1])
    u, v = pixels(a_hand(12), SERIALS[0]).T
    np.testing.assert_allclose(hands.keypoints_px[row], np.stack([axis - u, v], axis=1))
    assert hands.cameras[row, 0, 2] == axis - 310
    projected = project(hands.joints_mm, hands.cameras)
    np.testing.assert_allclose(projected, hands.keypoints_px, atol=1e-4)


def test_views_of_one_moment_share_a_label(root: Path) -> None:
    hands = read_dexycb(root, "training", READ)
    moments = [(str(Path(name).parents[1]), Path(name).name) for name in hands.names]
    for label in set(hands.labels.tolist()):
        assert len({moments[row] for row in np.flatnonzero(hands.labels == label)}) == 1
    assert len(set(hands.labels.tolist())) == len(set(moments)) == 6
    assert [int(number) for number in hands.sequences] == [0] * 6 + [1] * 6
    assert hands.views.tolist() == ([SERIALS[0]] * 3 + [SERIALS[7]] * 3) * 2


@pytest.mark.parametrize(
    ("lost", "kept"),
    [
        (range(10, 21), True),  # ten are left, 0 and 9 among them
        (range(1, 9), True),
        (range(10, 20), True),
        ([0], False),
        ([9], False),
        ([*range(1, 9), 10, 11, 12, 13], False),  # nine are left
        (range(21), False),
    ],
)
def test_hands_with_too_few_joints_are_left_out(root: Path, lost: Any, kept: bool) -> None:
    joints = a_hand(0)
    keypoints = pixels(joints, SERIALS[0])
    joints[list(lost)], keypoints[list(lost)] = -1, -1
    write_frame(root / RIGHT / SERIALS[0], 0, joints, keypoints)
    hands = read_dexycb(root, "training", READ)
    found = [row for row, name in enumerate(hands.names) if name == f"{RIGHT}/{SERIALS[0]}/color_000000.jpg"]
    assert bool(found) == kept
    for row in found:
        assert np.flatnonzero(~hands.seen[row]).tolist() == list(lost)
        assert np.isnan(hands.joints_mm[row, list(lost)]).all()
        assert np.isnan(hands.keypoints_px[row, list(lost)]).all()
        rest = hands.keypoints_px[row, hands.seen[row]]
        assert hands.sides_px[row] == 1.75 * (rest.max(axis=0) - rest.min(axis=0)).max()


@pytest.mark.parametrize(
    ("place", "seen", "officially"),
    [
        ((639.4, 100), True, True),
        ((639.8, 100), False, True),
        ((640.1, 100), False, False),
        ((-0.3, 100), True, False),
        ((100, 479.4), True, True),
        ((100, 480), False, True),
        ((100, -0.6), False, False),
    ],
)
def test_the_border_of_the_picture(root: Path, place: Any, seen: bool, officially: bool) -> None:
    joints = a_hand(0)
    keypoints = pixels(joints, SERIALS[0])
    keypoints[4] = place
    write_frame(root / RIGHT / SERIALS[0], 0, joints, keypoints)
    assert read_dexycb(root, "training", READ).seen[0, 4] == seen
    hands = read_dexycb(root, "training", OFFICIAL)
    assert hands.seen[0, 4] == officially
    np.testing.assert_allclose(hands.joints_mm[0, 4], 1000 * joints[4])  # known all the same


def test_what_hides_a_hand(root: Path) -> None:
    folder = f"{SUBJECTS[7]}/20201002_1/{SERIALS[0]}"
    joints = a_hand(20)
    keypoints = pixels(joints, SERIALS[0])
    keypoints[:] = np.arange(21)[:, None] + (100, 200)
    keypoints[20] = (-5, 100)  # outside, so something hides five of twenty
    seg = np.full((480, 640), 255, np.uint8)
    seg[200:205] = 0
    write_frame(root / folder, 0, joints, keypoints, seg)
    hands = read_dexycb(root, "evaluation", READ)
    assert hands.hidden[0] == 0.25
    assert (hands.hidden[1:] == 0).all()
    assert np.isnan(read_dexycb(root, "training", READ).hidden).all()


def test_the_setups_by_hand() -> None:
    place = {key: (len(part.subjects), len(part.sequences), len(part.serials)) for key, part in PARTS.items()}
    assert place == {
        ("s0", "training"): (10, 80, 8),
        ("s0", "evaluation"): (8, 20, 8),
        ("s1", "training"): (7, 100, 8),
        ("s1", "evaluation"): (2, 100, 8),
        ("s2", "training"): (10, 100, 6),
        ("s2", "evaluation"): (10, 100, 1),
        ("s3", "training"): (10, 75, 8),
        ("s3", "evaluation"): (10, 15, 8),
    }
    assert PARTS["s0", "evaluation"].sequences[:3] == (4, 9, 14)
    assert PARTS["s1", "training"].subjects == (0, 1, 2, 3, 4, 5, 9)
    assert PARTS["s1", "evaluation"].subjects == (7, 8)
    assert PARTS["s2", "evaluation"].serials == (7,)
    assert PARTS["s3", "evaluation"].sequences == (*range(35, 40), *range(55, 60), *range(75, 80))
    assert not set(PARTS["s3", "training"].sequences) & {*range(15, 20), *range(95, 100), 35, 59, 75}
    assert len(set(SUBJECTS)) == 10
    assert len(set(SERIALS)) == 8


def test_setups_choose_cameras_and_recordings(root: Path) -> None:
    s2 = ReadSettings(setup="s2")
    assert set(read_dexycb(root, "training", s2).views) == {SERIALS[0]}
    assert set(read_dexycb(root, "evaluation", s2).views) == {SERIALS[7]}
    for i in range(5):  # with the one that is there six: the fifth is evaluated in s0
        name = f"{SUBJECTS[7]}/20201002_{2 + i}"
        write_meta(root / name, "right", 1)
        joints = a_hand(i)
        write_frame(root / name / SERIALS[0], 0, joints, pixels(joints, SERIALS[0]))
    s0 = ReadSettings(setup="s0")
    assert read_dexycb(root, "evaluation", s0).names.tolist() == [
        f"{SUBJECTS[7]}/20201002_5/{SERIALS[0]}/color_000000.jpg"
    ]
    assert len(read_dexycb(root, "training", s0)) == 12 + 6 + 4


def test_a_smaller_copy_says_so(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    read_dexycb(root, "evaluation", READ)
    assert "1 of 200 recordings, 2 of 8 camera folders of them" in caplog.text
    assert f"subjects without any: {SUBJECTS[8]}" in caplog.text


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("color_000002.jpg", "expected 12 images, found 11; first missing {}/color_000002.jpg"),
        ("labels_000000.npz", "expected 12 label files, found 11; first missing {}/labels_000000.npz"),
    ],
)
def test_a_missing_file_is_named(root: Path, lost: str, said: str) -> None:
    (root / LEFT / SERIALS[7] / lost).unlink()
    with pytest.raises(LabelledSetError) as error:
        read_dexycb(root, "training", READ)
    assert said.format(f"{LEFT}/{SERIALS[7]}") in str(error.value)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (f"{LEFT}/meta.yml", None, "cannot read a file of DexYCB"),
        (f"{LEFT}/meta.yml", "a: [", "cannot read a file of DexYCB"),
        (f"{LEFT}/meta.yml", "a: 1", "not a meta.yml"),
        (f"{LEFT}/meta.yml", json.dumps({"serials": [], "num_frames": 1, "mano_sides": []}), "not a meta.yml"),
        (f"calibration/intrinsics/{SERIALS[7]}_640x480.yml", None, "cannot read a file of DexYCB"),
        (f"calibration/intrinsics/{SERIALS[7]}_640x480.yml", "depth: {}", "not a calibration"),
        (f"{LEFT}/{SERIALS[0]}/labels_000001.npz", "", "cannot read a label"),
        (f"{LEFT}/{SERIALS[0]}/labels_000001.npz", "PK\x03\x04 no more", "cannot read a label"),
    ],
)
def test_damage_is_named(root: Path, path: str, content: str | None, said: str) -> None:
    if content is None:
        (root / path).unlink()
    else:
        (root / path).write_text(content)
    with pytest.raises(LabelledSetError, match=f"(?s){said}.*{Path(path).name}"):
        read_dexycb(root, "training", READ)


def test_labels_of_another_shape_are_refused(root: Path) -> None:
    np.savez(root / RIGHT / SERIALS[0] / "labels_000000.npz", joint_3d=np.zeros((1, 20, 3)), joint_2d=np.zeros(2))
    with pytest.raises(LabelledSetError, match=r"(?s)joint_3d \(1, 21, 3\)"):
        read_dexycb(root, "training", READ)


def test_another_folder_is_told_the_layout(tmp_path: Path) -> None:
    with pytest.raises(LabelledSetError, match=r"(?s)no recordings for training in s1.*20200709-subject-01/"):
        read_dexycb(tmp_path, "training", READ)


def test_recordings_without_a_hand_are_refused(root: Path) -> None:
    for path in (root / SUBJECTS[7]).rglob("labels_*.npz"):
        unseen = np.full((21, 3), -1.0)
        write_frame(path.parent, int(path.stem[-6:]), unseen, unseen[:, :2])
    with pytest.raises(LabelledSetError, match="no evaluation frame with a hand"):
        read_dexycb(root, "evaluation", READ)


def test_where_a_set_lies_does_not_matter(root: Path) -> None:
    hands = read_dexycb(root, "training", READ)
    assert replace(hands, root=Path("elsewhere")).fingerprint() == read_dexycb(root, "training", READ).fingerprint()
