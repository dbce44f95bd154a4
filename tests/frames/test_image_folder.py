from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simhand.frames.settings import SamplingSettings
from tests.frames.numbered import at_thirty, numbers, picture, sample, write_numbered


def write_frames(folder: Path, names_and_numbers: dict[str, int]) -> Path:
    folder.mkdir(parents=True)
    for name, number in names_and_numbers.items():
        Image.fromarray(picture(number)).save(folder / name)
    return folder


def test_numbers_in_names_make_times(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {f"v2_frame_{i:06d}.jpg": i for i in range(0, 150, 10)})
    rows, statuses = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=30.0)
    assert [row["frame_index"] for row in rows["a"]] == [0, 30, 60, 90, 120]
    assert [row["timestamp_s"] for row in rows["a"]] == [0, 1, 2, 3, 4]
    assert numbers(rows["a"]) == [0, 30, 60, 90, 120]
    expected = {"status": "ok", "reason": "", "fps": 30.0, "duration_s": pytest.approx(141 / 30), "frames": 5}
    assert statuses["a"] == {"video_id": "a", **expected}


def test_numbers_stay_those_of_the_video_when_its_first_frames_are_not_there(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {f"{i}.jpg": i for i in range(95, 200, 5)})
    rows, _ = sample(tmp_path, [folder], SamplingSettings(fps=2), frame_rate=10.0)
    assert [row["frame_index"] for row in rows["a"]] == list(range(95, 200, 5))
    rows, _ = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=10.0)
    assert [(row["frame_index"], row["timestamp_s"]) for row in rows["a"]][:3] == [(95, 9.5), (105, 10.5), (115, 11.5)]


def test_jpegs_are_kept_byte_for_byte_and_others_made_jpegs(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {"0.jpg": 0, "1.PNG": 1, "2.webp": 2, "3.jpeg": 3})
    Image.fromarray(np.full((8, 8, 4), 70, np.uint8), "RGBA").save(folder / "4.png")
    Image.fromarray(np.full((8, 8), 80, np.uint8), "L").save(folder / "5.png")
    (folder / "notes.txt").write_text("no image")
    (folder / ".6.jpg").write_text("hidden")
    rows, statuses = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=1.0)
    assert statuses["a"]["status"] == "ok"
    assert [row["frame_index"] for row in rows["a"]] == [0, 1, 2, 3, 4, 5]
    assert rows["a"][0]["jpeg"] == (folder / "0.jpg").read_bytes()
    assert rows["a"][3]["jpeg"] == (folder / "3.jpeg").read_bytes()
    assert all(row["jpeg"][:2] == b"\xff\xd8" for row in rows["a"])
    assert numbers(rows["a"][:4]) == [0, 1, 2, 3]
    assert [row["image"].mean() for row in rows["a"][4:]] == pytest.approx([70, 80], abs=1)


def test_a_damaged_image_costs_itself_and_is_named(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {f"{i}.jpg": i for i in range(6)})
    good = write_frames(tmp_path / "b", {"0.jpg": 0})
    data = (folder / "2.jpg").read_bytes()
    (folder / "2.jpg").write_bytes(data[: len(data) // 2])
    (folder / "4.jpg").write_text("text")
    rows, statuses = sample(tmp_path, [folder, good], SamplingSettings(fps=1), frame_rate=1.0)
    assert numbers(rows["a"]) == [0, 1, 3, 5]
    assert statuses["a"]["status"] == "corrupt"
    assert statuses["a"]["reason"].startswith("2.jpg: ")
    assert statuses["a"]["reason"].endswith(" (1 more)")
    assert statuses["b"]["status"] == "ok"


def test_a_link_that_leads_nowhere_is_a_damaged_image(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {f"{i}.jpg": i for i in range(3)})
    (folder / "1.jpg").unlink()
    (folder / "1.jpg").symlink_to("missing")
    rows, statuses = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=1.0)
    assert numbers(rows["a"]) == [0, 2]
    assert statuses["a"]["status"] == "corrupt"
    assert statuses["a"]["reason"] == "1.jpg: No such file or directory"


def test_a_picture_without_a_number_shifts_no_times(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {"cover.jpg": 99, **{f"frame_{i:06d}.jpg": i for i in (0, 30, 60)}})
    rows, statuses = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=30.0)
    assert [(row["frame_index"], row["timestamp_s"]) for row in rows["a"]] == [(0, 0), (30, 1), (60, 2)]
    assert statuses["a"]["status"] == "ok"
    assert statuses["a"]["reason"] == "1 images without a number, cover.jpg for one, are passed over"


def test_unclear_numbers_are_told(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {"left_1.jpg": 0, "right_1.jpg": 1})
    _, statuses = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=1.0)
    assert (statuses["a"]["status"], statuses["a"]["frames"]) == ("ok", 2)
    assert statuses["a"]["reason"] == "counted, since the names hold no clear numbers: left_1.jpg is 0"


def test_sixteen_bits_are_refused_rather_than_shown_white(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", {"0.jpg": 0})
    Image.fromarray(np.full((8, 8), 30_000, np.uint16)).save(folder / "1.png")
    rows, statuses = sample(tmp_path, [folder], SamplingSettings(fps=1), frame_rate=1.0)
    assert numbers(rows["a"]) == [0]
    assert statuses["a"]["reason"] == "1.png: more than 8 bits a channel"


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    video = write_numbered(tmp_path / "a.mp4", at_thirty(10))
    _, statuses = sample(
        tmp_path, [tmp_path / "empty", tmp_path / "missing", video], SamplingSettings(), frame_rate=30.0
    )
    assert [(row["status"], row["reason"]) for row in statuses.values()] == [
        ("empty", "no frame"),
        ("unreadable", "No such file or directory"),
        ("unreadable", "not a folder"),
    ]
