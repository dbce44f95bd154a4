"""The rendered labelled sets as their readers see them, against what was rendered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from simhand.files import read_parquet
from simhand.finetuning.formats import READERS
from simhand.finetuning.labelled import LabelledSet, Split, project, read_image
from simhand.finetuning.settings import Format, ReadSettings
from simhand.synthetic import assemblyhands_recording
from simhand.synthetic.assemblyhands import write_annotations
from simhand.synthetic.labelled import render_person
from simhand.synthetic.settings import DemoSettings
from simhand.synthetic.tasks import Recording, portrait_tasks
from simhand.synthetic.truth import LABELLED_TRUTH, joints_array

SETS: dict[Format, str] = {
    "freihand": "labelled",
    "dexycb": "labelled_dexycb",
    "assemblyhands": "labelled_assemblyhands",
}
CASES = [(layout, split) for layout in SETS for split in ("training", "evaluation")]


def read(demo: Path, layout: Format, split: Split) -> LabelledSet:
    return READERS[layout](demo / SETS[layout], split, ReadSettings())


def shown(hands: LabelledSet, row: int) -> torch.Tensor:
    """The image (3, H, W) of a hand, in which it is a right one."""
    image = read_image(hands.root / hands.images[row])
    return image.flip(2) if hands.flipped[row] else image


def rendered(demo: Path, layout: Format) -> dict[str, tuple[str, np.ndarray]]:
    """Side and keypoints (21, 2), in the image as it lies on disk, of each rendered hand."""
    table = read_parquet(demo / "truth" / "labelled.parquet", LABELLED_TRUTH)
    of_set = table.filter(table["set"].to_numpy() == SETS[layout])
    names, sides = (of_set[name].to_pylist() for name in ("name", "side"))
    return dict(zip(names, zip(sides, joints_array(of_set["keypoints_px"]), strict=True), strict=True))


@pytest.mark.parametrize(("layout", "split"), CASES)
def test_read_joints_land_on_rendered_keypoints(demo: Path, layout: Format, split: Split) -> None:
    """Within a hundredth of a pixel; the labels of a set may be rounded to float32."""
    hands, truth = read(demo, layout, split), rendered(demo, layout)
    for row, name in enumerate(hands.names):
        side, keypoints = truth[name]
        if hands.flipped[row]:
            keypoints = np.stack([shown(hands, row).shape[2] - 1 - keypoints[:, 0], keypoints[:, 1]], axis=1)
        assert hands.flipped[row] == (side == "left")
        seen = hands.seen[row]
        projected = project(hands.joints_mm[[row]], hands.cameras[[row]])[0]
        np.testing.assert_allclose(projected[seen], keypoints[seen], atol=0.01)
        np.testing.assert_allclose(hands.keypoints_px[row, seen], keypoints[seen], atol=0.01)


@pytest.mark.parametrize("layout", ["dexycb", "assemblyhands"])
def test_both_sides_and_all_cameras_are_there(demo: Path, layout: Format) -> None:
    hands = read(demo, layout, "training")
    assert len(hands) == 20
    assert hands.flipped.sum() == (10 if layout == "dexycb" else 8)
    assert len(set(hands.views)) == 2
    assert len(set(hands.sequences)) == 2
    assert (np.bincount(hands.labels)[np.unique(hands.labels)] == 2).all()  # each pose in two views
    bones = np.linalg.norm(hands.joints_mm[:, 9] - hands.joints_mm[:, 0], axis=1)
    assert ((bones > 80) & (bones < 130)).all()
    for label in set(hands.labels.tolist()):
        assert np.ptp(bones[hands.labels == label]) < 0.01  # the same hand


def test_read_hands_are_right_hands(demo: Path) -> None:
    """Fingers bend towards the palm, which is on one side of a right hand, and on the other of a left one."""
    for layout, split in CASES:
        joints = read(demo, layout, split).joints_mm
        normal = np.cross(joints[:, 5] - joints[:, 17], joints[:, 9] - joints[:, 0])  # out of a right hand's palm
        fingers = joints[:, [8, 12, 16, 20]].mean(axis=1) - joints[:, [5, 9, 13, 17]].mean(axis=1)
        assert (np.einsum("nk,nk->n", fingers, normal) > 0).all()


@pytest.mark.parametrize("split", ["training", "evaluation"])
def test_freihand_s_keypoints_are_on_skin(demo: Path, split: Split) -> None:
    hands = read(demo, "freihand", split)
    for row in range(len(hands)):
        assert on(hands, row, skin(shown(hands, row))) > 0.85


def skin(image: torch.Tensor) -> torch.Tensor:
    """Pixels with more red than blue: backgrounds have none such."""
    return image[0].int() - image[2].int() > 10


def on(hands: LabelledSet, row: int, pixels: torch.Tensor) -> float:
    """Which share of a hand's joints lies on certain pixels (H, W), or beside one."""
    spread = torch.nn.functional.max_pool2d(pixels[None].float(), 5, 1, 2)[0]
    columns, rows = torch.from_numpy(hands.keypoints_px[row, hands.seen[row]]).round().long().T
    return float(spread[rows, columns].mean())


def test_dexycb_s_keypoints_are_on_the_hand_in_the_mirrored_image(demo: Path) -> None:
    hands = read(demo, "dexycb", "training")
    unmirrored = []
    for row in range(len(hands)):
        labels = hands.root / hands.images[row].replace("color_", "labels_").replace(".jpg", ".npz")
        seg = torch.from_numpy(np.load(labels)["seg"])
        covered = (seg.flip(1) if hands.flipped[row] else seg) > 0  # the hand, or the ball before it
        assert on(hands, row, covered) == 1
        picture = skin(shown(hands, row)) | (covered & (shown(hands, row)[2] > shown(hands, row)[0]))
        assert on(hands, row, picture) > 0.85
        if hands.flipped[row]:
            unmirrored.append(on(hands, row, seg > 0))
    assert np.mean(unmirrored) < 0.5


def test_what_hides_dexycb_s_hands(demo: Path) -> None:
    hands = read(demo, "dexycb", "evaluation")
    frames = np.array([int(image[-10:-4]) for image in hands.images])
    assert (hands.hidden[frames % 3 == 0] > 0).all()  # every third has a ball before it
    for row in range(len(hands)):
        labels = hands.root / hands.images[row].replace("color_", "labels_").replace(".jpg", ".npz")
        seg = np.load(labels)["seg"]
        columns, rows = np.round(hands.keypoints_px[row]).astype(int).T
        assert hands.hidden[row] == (seg[rows, columns] != 255).mean()  # right hands: nothing is mirrored
    assert hands.hidden.max() < 0.7


def test_a_recording_ends_without_a_hand(demo: Path) -> None:
    last = sorted((demo / "labelled_dexycb").rglob("labels_*.npz"))[5]
    with np.load(last) as labels:
        assert (labels["joint_3d"] == -1).all()
        assert (labels["joint_2d"] == -1).all()
        assert not labels["seg"].any()
    names = read(demo, "dexycb", "training").names.tolist()
    assert not [name for name in names if name.endswith("color_000005.jpg")]


def test_assemblyhands_keypoints_are_on_both_hands(
    model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn before black, since grey hands do not stand out from a grey room."""

    def black(_: np.random.Generator, width: int, height: int) -> np.ndarray:
        return np.zeros((height, width, 3), np.uint8)

    monkeypatch.setattr(assemblyhands_recording, "draw_background", black)
    task = Recording("assemblyhands", tmp_path / "set", "training", 0, tmp_path / "part.json", (4, 5))
    assemblyhands_recording.render_recording(model_path, task)
    write_annotations(tmp_path / "set", "training", [task.part])
    hands = READERS["assemblyhands"](tmp_path / "set", "training", ReadSettings())
    assert hands.flipped.sum() == 4
    for row in range(len(hands)):
        image = shown(hands, row)
        assert torch.equal(image[0], image[2])  # grey
        bright = image[0] > 25
        assert on(hands, row, bright) == 1
        assert on(hands, row, bright.flip(1)) < 0.8  # where the other hand is, if anything


def test_assemblyhands_masks_and_orders(demo: Path) -> None:
    hands = read(demo, "assemblyhands", "training")
    lost = [np.flatnonzero(~seen).tolist() for seen in hands.seen]
    assert lost == [[1] if flipped else [] for flipped in hands.flipped]  # the base of the left thumb
    skeleton = (demo / "labelled_assemblyhands" / "annotations" / "skeleton.txt").read_text().splitlines()
    assert len(skeleton) == 42
    assert [skeleton[place].split()[0] for place in (0, 3, 20, 21, 41)] == [
        "right_thumb4",
        "right_thumb1",
        "right_wrist",
        "left_thumb4",
        "left_wrist",
    ]
    folder = demo / "labelled_assemblyhands" / "annotations" / "train"
    joints = json.loads((folder / "assemblyhands_train_joint_3d_v1-1.json").read_text())["annotations"]
    world = np.array(next(iter(joints.values()))["000000"]["world_coord"])
    assert 80 < np.linalg.norm(world[20] - world[11]) < 130  # wrist to the middle finger's base, in millimetres


def test_four_backgrounds(model_path: Path, tmp_path: Path) -> None:
    """The same hands in the same light, on four different backgrounds."""
    settings = DemoSettings(training=3, evaluation=3, backgrounds=4)
    (task,) = portrait_tasks(tmp_path, tmp_path, settings, "training")
    assert [path.name for path in task.more[2]] == ["00000009.jpg", "00000010.jpg", "00000011.jpg"]
    render_person(model_path, task.seed, task.images, task.part, task.more)
    render_person(model_path, task.seed, [tmp_path / "one" / "rgb" / str(i) for i in range(3)], tmp_path / "one.json")
    for i, path in enumerate(task.images):  # no other pictures than without further backgrounds
        assert path.read_bytes() == (tmp_path / "one" / "rgb" / str(i)).read_bytes()
    labels = json.loads(task.part.read_text())
    for kind in ("K", "xyz"):
        (tmp_path / "labelled" / f"training_{kind}.json").write_text(json.dumps(labels[kind]))
    hands = READERS["freihand"](tmp_path / "labelled", "training", ReadSettings())
    assert hands.labels.tolist() == [0, 1, 2] * 4
    assert [row[0] for row in labels["truth"]] == hands.names.tolist()
    pictures = torch.stack([shown(hands, row).float() for row in range(12)]).reshape(4, 3, 3, 224, 224)
    change = (pictures[1:] - pictures[0]).abs().mean(dim=2)  # (3, 3, 224, 224)
    for label in range(3):
        columns, rows = torch.from_numpy(hands.keypoints_px[label]).round().long().T
        assert 2 * change[:, label, rows, columns].median() < change[:, label].median()
