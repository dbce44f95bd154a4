from __future__ import annotations

import json
from pathlib import Path

import pytest

from simhand.errors import InputError
from simhand.start.found import look_at
from tests.conftest import WriteVideo


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_of_videos_is_told_with_their_number_and_length(tmp_path: Path, write_video: WriteVideo) -> None:
    for name in ("a.mp4", "deeper/b.mp4"):
        write_video(tmp_path / name, [i / 2 for i in range(121)])  # a minute each
    files(tmp_path, "cover.jpg")
    found = look_at(tmp_path)
    assert (found.kind, found.videos) == ("videos", 2)
    assert found.hours == pytest.approx(2 / 60, rel=0.02)
    assert found.said.startswith("a folder of videos: 2, 2.0 minutes, 0 MB, and 1 images, which are passed over")


def test_of_many_videos_a_hundred_are_asked(tmp_path: Path, write_video: WriteVideo) -> None:
    first = write_video(tmp_path / "0.mp4", [i / 2 for i in range(61)])
    for i in range(1, 150):
        (tmp_path / f"{i}.mp4").hardlink_to(first)
    found = look_at(tmp_path)
    assert found.videos == 150
    assert found.hours == pytest.approx(150 * 0.5 / 60, rel=0.02)
    assert " or so, " in found.said


def test_videos_that_tell_no_length_and_missing_ones_are_told(tmp_path: Path) -> None:
    files(tmp_path, "broken.mp4")
    (tmp_path / "list.txt").write_text("broken.mp4\ngone.mp4\n")
    found = look_at(tmp_path / "list.txt")
    assert (found.kind, found.videos, found.hours) == ("list", 2, None)
    assert "2, 1 of which are missing, of unknown length" in found.said


def test_frames_lie_in_a_folder_a_video(tmp_path: Path) -> None:
    files(tmp_path, "one/frame_000030.jpg", "one/frame_000060.jpg", "two/frame_000030.jpg")
    found = look_at(tmp_path)
    assert (found.kind, found.videos, found.hours) == ("frames", 2, None)
    with pytest.raises(InputError, match="name the folder above"):
        look_at(tmp_path / "one")


def test_a_json_of_hand100m_is_known_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "hands.json"
    path.write_text(json.dumps({"images": [], "annotations": []}))
    assert look_at(path).kind == "annotations"
    path.write_text('{"other": 1}')
    with pytest.raises(InputError, match="a JSON that is none of Hand100M"):
        look_at(path)


def test_labelled_sets_are_known_by_their_layout(tmp_path: Path) -> None:
    names = [f"{split}_{kind}.json" for split in ("training", "evaluation") for kind in ("K", "xyz")]
    found = look_at(files(tmp_path / "a", *names, "training/rgb/00000000.jpg"))
    assert found.labelled
    assert found.labelled.format == "freihand"
    found = look_at(
        files(tmp_path / "b", "calibration/intrinsics/1_640x480.yml", "20200709-subject-01/20200709_141754/meta.yml")
    )
    assert found.labelled
    assert found.labelled.format == "dexycb"


def test_the_joints_of_assemblyhands_test_may_be_missing(tmp_path: Path) -> None:
    kinds = ("ego_data", "ego_calib", "joint_3d")
    names = [
        f"annotations/{split}/assemblyhands_{split}_{kind}_v1-1.json" for split in ("train", "val") for kind in kinds
    ]
    found = look_at(files(tmp_path, *names))
    assert found.labelled
    assert (found.labelled.format, found.labelled.evaluation_split) == ("assemblyhands", "val")


def test_half_a_labelled_set_is_refused_by_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"looks like freihand(.|\n)*evaluation_K.json, evaluation_xyz.json"):
        look_at(files(tmp_path, "training_K.json", "training_xyz.json"))


def test_what_is_nothing_of_these_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing that simhand knows(.|\n)*notes.md"):
        look_at(files(tmp_path, "notes.md"))
    with pytest.raises(InputError, match="name its folder"):
        look_at(files(tmp_path, "one.mp4") / "one.mp4")
    with pytest.raises(InputError, match="no such folder or file"):
        look_at(tmp_path / "gone")
