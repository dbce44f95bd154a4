from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import av
import decord
import numpy as np
import pytest
from pydantic import ValidationError

from simhand.errors import ConfigError
from simhand.files import read_parquet
from simhand.finetuning.freihand import read_freihand
from simhand.finetuning.settings import ReadSettings
from simhand.synthetic import demo as demo_module
from simhand.synthetic.__main__ import main
from simhand.synthetic.demo import render_demo
from simhand.synthetic.settings import DemoSettings
from simhand.synthetic.truth import LABELLED_TRUTH, TRUTH, joints_array


def contents(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_what_is_there(demo: Path, small: DemoSettings) -> None:
    videos = {path.name for path in (demo / "videos").iterdir()}
    assert videos == {f"person_{i:03d}.mp4" for i in range(4)} | {"no_hand.mp4", "truncated.mp4"}
    assert {path.name for path in demo.iterdir()} == {
        "videos",
        "truth",
        "labelled",
        "labelled_dexycb",
        "labelled_assemblyhands",
        "demo.json",
    }
    recorded = json.loads((demo / "demo.json").read_text())
    assert recorded["settings"] == small.model_dump(mode="json")


def test_videos_have_their_frames_at_their_times(demo: Path, small: DemoSettings) -> None:
    truth = read_parquet(demo / "truth" / "hands.parquet", TRUTH).to_pandas()
    for video in sorted((demo / "videos").glob("person_*.mp4")):
        reader = decord.VideoReader(str(video))
        rows = truth[(truth.video_id == video.name) & (truth.side == truth.side[truth.video_id == video.name].iloc[0])]
        assert rows.frame_index.tolist() == list(range(len(reader)))
        np.testing.assert_allclose(reader.get_frame_timestamp(range(len(reader)))[:, 0], rows.timestamp_s, atol=1e-5)
        np.testing.assert_allclose(rows.timestamp_s, np.arange(len(reader)) / small.fps)
        assert reader.get_avg_fps() == small.fps
        assert 50 <= len(reader) <= 60
        assert reader[0].shape == (288, 384, 3)


def test_the_truncated_video_cannot_be_decoded(demo: Path) -> None:
    path = demo / "videos" / "truncated.mp4"
    whole = (demo / "videos" / "person_000.mp4").read_bytes()
    assert path.read_bytes() == whole[: len(whole) // 2]
    with pytest.raises((RuntimeError, decord.DECORDError)):
        decord.VideoReader(str(path))
    with pytest.raises(av.error.InvalidDataError):
        av.open(str(path))


def test_truth_is_consistent(demo: Path) -> None:
    table = read_parquet(demo / "truth" / "hands.parquet", TRUTH)
    pixels, metres = joints_array(table["keypoints_px"]), joints_array(table["keypoints_m"])
    rows = table.select(["video_id", "frame_index", "side", "visible"]).to_pandas()
    assert pixels.shape == (len(rows), 21, 2)
    assert metres.shape == (len(rows), 21, 3)
    assert rows.groupby("video_id").side.unique().map(sorted).tolist() == [
        ["right"],
        ["left", "right"],
        ["left"],
        ["left", "right"],
    ]
    assert "no_hand.mp4" not in set(rows.video_id)
    for video in rows.video_id.unique():
        of_video = (rows.video_id == video).to_numpy()
        ray, seen = metres[of_video, :, :2] / metres[of_video, :, 2:], pixels[of_video]
        middle = np.array([191.5, 143.5])
        focal = ((seen - middle) * ray).sum() / np.square(ray).sum()  # least squares: one focal length a video
        np.testing.assert_allclose(seen, focal * ray + middle, atol=0.02)
        assert 384 <= focal <= 384 * 1.35
    inside = ((pixels >= -0.5) & (pixels < [383.5, 287.5])).all(axis=-1).sum(axis=1)
    assert (inside[rows.visible] >= 17).all()
    assert rows.visible.mean() > 0.5
    assert (rows[~rows.visible].groupby("video_id").size() > 0).sum() >= 3  # hands leave in several videos


def test_truth_moves_with_the_pictures(demo: Path) -> None:
    """Where a hand is in one frame and in no other, the picture differs from what it is in the other."""
    truth = read_parquet(demo / "truth" / "hands.parquet", TRUTH)
    rows = truth.filter(truth["video_id"].to_numpy() == "person_000.mp4")
    pixels, visible = joints_array(rows["keypoints_px"]), rows["visible"].to_numpy()
    away = int(np.flatnonzero(~visible & (pixels[:, :, 1] > 300).all(axis=1))[0])
    here = int(np.flatnonzero(visible)[0])
    reader = decord.VideoReader(str(demo / "videos" / "person_000.mp4"))
    change = np.abs(reader[here].asnumpy().astype(float) - reader[away].asnumpy().astype(float)).mean(axis=-1)
    column, row = np.round(pixels[here]).astype(int).T
    on_hand = change[np.clip(row, 0, 287), np.clip(column, 0, 383)]
    assert np.median(on_hand) > 3 * np.median(change[:100, :60])


def test_labelled_set_is_freihand_s_layout(demo: Path) -> None:
    folder = demo / "labelled"
    for split, count in (("training", 12), ("evaluation", 6)):
        K, xyz, scale = (
            np.array(json.loads((folder / f"{split}_{n}.json").read_text())) for n in ("K", "xyz", "scale")
        )
        assert K.shape == (count, 3, 3)
        assert xyz.shape == (count, 21, 3)
        np.testing.assert_allclose(scale, np.linalg.norm(xyz[:, 9] - xyz[:, 10], axis=1))
        assert 0.02 < scale.min() < scale.max() < 0.06
        assert 0.3 < xyz[..., 2].min() < xyz[..., 2].max() < 0.9
        pixels = xyz @ K.transpose(0, 2, 1)
        pixels = pixels[..., :2] / pixels[..., 2:]
        assert (pixels > 0).all()
        assert (pixels < 224).all()
        read = read_freihand(folder, split, ReadSettings())
        assert len(read.images) == count


def test_a_finished_demo_is_left_alone(demo: Path, small: DemoSettings) -> None:
    before, stamps = contents(demo), times(demo)
    render_demo(demo, small, jobs=1)
    assert contents(demo) == before
    assert times(demo) == stamps


@pytest.fixture(scope="module")
def again(demo: Path, small: DemoSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same demo by one process, with one part of an interrupted run already there."""
    out = tmp_path_factory.mktemp("again") / "demo"
    parts = out / ".parts"
    parts.mkdir(parents=True)
    mark = json.loads((demo / "demo.json").read_text())
    del mark["files"]
    (parts / "demo.json").write_text(json.dumps(mark))
    shutil.copytree(demo / "labelled" / "evaluation", out / "labelled" / "evaluation")
    K, xyz = (json.loads((demo / "labelled" / f"evaluation_{name}.json").read_text()) for name in ("K", "xyz"))
    truth = read_parquet(demo / "truth" / "labelled.parquet", LABELLED_TRUTH).to_pylist()
    rows = [
        [row["name"], row["side"], np.reshape(row["keypoints_px"], (21, 2)).tolist()]
        for row in truth
        if row["set"] == "labelled" and row["name"].startswith("evaluation/")
    ]
    (parts / "evaluation_000.json").write_text(json.dumps({"K": K, "xyz": xyz, "truth": rows}))
    image = out / "labelled" / "evaluation" / "rgb" / "00000000.jpg"
    stamp = image.stat().st_mtime_ns
    render_demo(out, small, jobs=1)
    assert image.stat().st_mtime_ns == stamp  # it went on from there
    return out


def test_the_same_bytes_whatever_the_number_of_processes(demo: Path, again: Path) -> None:
    assert contents(again) == contents(demo)


def test_a_damaged_or_another_demo_is_rendered_anew(
    again: Path, small: DemoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StartedError(Exception):
        pass

    def start(*_: object) -> None:
        raise StartedError

    monkeypatch.setattr(demo_module, "perform", start)
    own = again / "videos" / "mine.mp4"
    own.write_bytes(b"the user's")
    render_demo(again, small, jobs=1)  # files of others do not matter
    with pytest.raises(StartedError):
        render_demo(again, small.model_copy(update={"seed": 4}), jobs=1)
    assert contents(again).keys() == {".parts/demo.json", "videos/mine.mp4"}
    with pytest.raises(StartedError):
        render_demo(again, small, jobs=1)


def test_damage_is_noticed(demo: Path, small: DemoSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "demo"
    shutil.copytree(demo, copy)
    performed = []
    monkeypatch.setattr(demo_module, "perform", lambda *arguments: performed.append(arguments))
    monkeypatch.setattr(demo_module, "_gather", lambda *_: None)
    monkeypatch.setattr(demo_module, "_gather_labelled", lambda *_: None)
    (copy / "videos" / "person_001.mp4").write_bytes(b"")
    render_demo(copy, small, jobs=1)
    assert len(performed) == 1


def test_a_folder_with_other_things_is_refused(tmp_path: Path, small: DemoSettings) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match="holds something else"):
        render_demo(tmp_path, small, jobs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_command_line_takes_the_settings(demo: Path) -> None:
    stamps = times(demo)
    size = ["--videos", "4", "--seconds", "5", "6", "--training", "12", "--evaluation", "6", "--seed", "3"]
    size += ["--dexycb", "2", "1", "--assemblyhands", "2", "1"]
    main([str(demo), "--jobs", "1", *size])  # returns at once: it is the finished one
    assert times(demo) == stamps


def test_bad_settings_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        DemoSettings(seconds=(6.0, 5.0))
    with pytest.raises(SystemExit):
        main([str(tmp_path / "demo"), "--seconds", "6", "5"])
    assert "two increasing numbers" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["settings", "demo"])
def test_looking_costs_no_heavy_imports(module: str) -> None:
    code = f"import simhand.synthetic.{module}, sys; sys.exit(any(m in sys.modules for m in ('torch', 'anny')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
