"""From the user's files to drawings and joints, with a model that knows the hands by heart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from simhand.errors import WeightsError
from simhand.files import read_parquet
from simhand.frames.playback import Playback
from simhand.hands.settings import MediaPipeSettings
from simhand.joints import MIDDLE_BASE
from simhand.prediction.predict import Outcome, predict
from simhand.prediction.settings import PredictionSettings
from simhand.prediction.tables import HAND_JOINTS
from tests.prediction.conftest import Truth
from tests.prediction.made_up import write_broken_model, write_random_model

SETTINGS = PredictionSettings(device="cpu", square=2.2)  # MediaPipe's boxes around rendered hands are tight


def bone_lengths_off(joints_mm: np.ndarray, true_mm: np.ndarray) -> float:
    """Mean distance of joints from the true ones, in lengths of the bone from the wrist to the middle finger's base."""
    found, true = (joints / np.linalg.norm(joints[MIDDLE_BASE]) for joints in (joints_mm, true_mm))
    return float(np.linalg.norm(found - true, axis=1).mean())


def expect(row: dict, truth: Truth) -> None:
    """The hand lies where it is, on the right side and the right way round in space."""
    found = np.reshape(row["keypoints_px"], (21, 2))
    extent = np.ptp(truth.keypoints_px, axis=0).max()
    assert np.linalg.norm(found - truth.keypoints_px, axis=1).mean() < 0.12 * extent
    joints_mm = np.reshape(row["joints_mm"], (21, 3))
    assert bone_lengths_off(joints_mm, truth.joints_mm) < 0.2
    assert bone_lengths_off(joints_mm, truth.mirrored().joints_mm) > 0.3
    assert np.linalg.norm(joints_mm[MIDDLE_BASE]) == pytest.approx(100, rel=1e-4)


def rows_by_source(out: Path) -> dict[str, list[dict]]:
    rows = read_parquet(out / "joints.parquet", HAND_JOINTS).to_pylist()
    names = dict.fromkeys(Path(row["source"]).name for row in rows)
    return {name: [row for row in rows if Path(row["source"]).name == name] for name in names}


pytestmark = pytest.mark.slow  # a model is trained for it


@pytest.fixture(scope="module")
def predicted(hands: list[Truth], learnt: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Outcome]]:
    """The four hands and their mirror images, two of them in one picture, and a picture of none."""
    folder = tmp_path_factory.mktemp("predicted")
    (folder / "in").mkdir()
    for i, truth in enumerate(hands):
        Image.fromarray(truth.rgb).save(folder / "in" / f"{i} right.png")
        Image.fromarray(truth.mirrored().rgb).save(folder / "in" / f"{i} left.png")
    both = np.hstack([hands[2].mirrored().rgb, hands[2].rgb])
    Image.fromarray(both).save(folder / "in" / "both.png")
    Image.fromarray(np.full((90, 120, 3), 90, np.uint8)).save(folder / "in" / "wall.png")
    return folder / "out", predict([folder / "in"], learnt, folder / "out", SETTINGS)


def test_right_and_left_hands_in_images_are_told_as_they_are(predicted: tuple, hands: list[Truth]) -> None:
    rows = rows_by_source(predicted[0])
    seen = 0
    for i, truth in enumerate(hands):
        for side, true in (("right", truth), ("left", truth.mirrored())):
            found = [row for row in rows.get(f"{i} {side}.png", []) if row["side"] == side]
            seen += len(found)
            for row in found:
                expect(row, true)
    assert seen >= 7  # of 8: the detector is not always right


def test_two_hands_in_one_image(predicted: tuple, hands: list[Truth]) -> None:
    left, right = rows_by_source(predicted[0])["both.png"]
    assert (left["side"], left["hand"], right["side"], right["hand"]) == ("left", 0, "right", 1)
    expect(left, hands[2].mirrored())
    width = hands[2].rgb.shape[1]
    expect(right, Truth(hands[2].rgb, np.add(hands[2].keypoints_px, [width, 0]), hands[2].joints_mm))


def test_outcomes_say_how_it_went(predicted: tuple) -> None:
    out, outcomes = predicted
    assert [Path(one.source).name for one in outcomes][-2:] == ["both.png", "wall.png"]
    assert [one.hands for one in outcomes][-2:] == [2, 0]
    assert not any(one.problem for one in outcomes)
    told = json.loads((out / "joints.json").read_text())
    assert [file["hands"] for file in told["files"]] == [one.hands for one in outcomes]
    assert told["files"][-1] | {"source": ""} == {
        **{"source": "", "drawn": "wall_hands.jpg", "width": 120, "height": 90},
        **{"frames": 1, "hands": 0, "problem": None},
    }
    assert told["missing"] == []
    assert told["settings"]["bone_mm"] == 100
    assert told["model"]["head"] == "regression25d"
    assert {path.name for path in out.iterdir()} == {one.drawn for one in outcomes} | {"joints.json", "joints.parquet"}


def test_drawings_show_the_hands(predicted: tuple) -> None:
    out, _ = predicted
    one, both, wall = (
        np.asarray(Image.open(out / name)) for name in ("1 right_hands.jpg", "both_hands.jpg", "wall_hands.jpg")
    )
    assert one.shape == (600, 632 + 300, 3)  # 384 x 404 drawn 600 high, and a column beside it
    assert both.shape == (600, 1262 + 600, 3)
    assert wall.shape == (600, 800, 3)
    assert (np.abs(wall.astype(int) - 90) < 3).all()


def test_a_video_has_its_hands_at_their_times(hands: list[Truth], learnt: Path, clip: Path, tmp_path: Path) -> None:
    (outcome,) = predict([clip], learnt, tmp_path, SETTINGS)
    assert (outcome.frames, outcome.drawn, outcome.problem) == (8, "clip_hands.mp4", None)
    rows = read_parquet(tmp_path / "joints.parquet", HAND_JOINTS).to_pylist()
    right_side = [row for row in rows if row["side"] == ("right", "left")[row["frame_index"] % 2]]
    assert len(right_side) >= 7
    for row in right_side:
        truth = hands[row["frame_index"] // 2]
        expect(row, truth.mirrored() if row["frame_index"] % 2 else truth)
        assert row["timestamp_s"] == pytest.approx(row["frame_index"] / 12, abs=1e-3)
    drawn = list(Playback(tmp_path / "clip_hands.mp4"))
    assert [frame.timestamp_s for frame in drawn] == pytest.approx([i / 12 for i in range(8)], abs=1e-3)
    assert drawn[0].rgb.shape == (600, 632 + 600, 3)


def test_some_frames_of_a_video(learnt: Path, clip: Path, tmp_path: Path) -> None:
    (outcome,) = predict([clip], learnt, tmp_path, PredictionSettings(device="cpu", fps=4))
    assert outcome.frames == 3
    frames = set(read_parquet(tmp_path / "joints.parquet", HAND_JOINTS)["frame_index"].to_pylist())
    assert frames <= {0, 3, 6}


def test_what_is_damaged_is_said_and_the_others_go_on(hands: list[Truth], clip: Path, tmp_path: Path) -> None:
    model = write_random_model(tmp_path / "model.pt")
    inputs = tmp_path / "in"
    inputs.mkdir()
    (inputs / "a.jpg").write_bytes(b"no image")
    (inputs / "b.mp4").write_bytes(clip.read_bytes()[:3000])
    Image.fromarray(hands[1].rgb).save(inputs / "c.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_hands.jpg").write_bytes(b"of an earlier call")
    outcomes = predict([inputs], model, tmp_path / "out", SETTINGS)
    assert [bool(one.problem) for one in outcomes] == [True, True, False]
    assert "cannot read an image" in str(outcomes[0].problem)
    assert "cannot read a video" in str(outcomes[1].problem)
    names = {"c_hands.jpg", "joints.json", "joints.parquet"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    told = json.loads((tmp_path / "out" / "joints.json").read_text())
    assert [file["drawn"] for file in told["files"]] == [None, None, "c_hands.jpg"]


def test_the_same_call_writes_the_same_bytes(hands: list[Truth], clip: Path, tmp_path: Path) -> None:
    model = write_random_model(tmp_path / "model.pt")
    Image.fromarray(hands[0].rgb).save(tmp_path / "a.png")
    settings = PredictionSettings(device="cpu", fps=3, detection=MediaPipeSettings(max_hands=1))
    contents = []
    for _ in range(2):
        predict([tmp_path / "a.png", clip], model, tmp_path / "out", settings)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()})
    assert len(contents[0]) == 4
    assert contents[0] == contents[1]


def test_joints_of_what_is_done_are_written_where_a_later_input_ends_it_all(
    hands: list[Truth], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A model of no numbers is noticed at the first hand, which here is in the second image."""
    images = [tmp_path / "in" / name for name in ("wall.png", "hand.png", "other.png")]
    images[0].parent.mkdir()
    for path, rgb in zip(images, (np.full((90, 120, 3), 90, np.uint8), hands[1].rgb, hands[2].rgb), strict=True):
        Image.fromarray(rgb).save(path)
    model = write_broken_model(tmp_path / "model.pt")
    with pytest.raises(WeightsError, match="no number"):
        predict(images, model, tmp_path / "out", SETTINGS)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"wall_hands.jpg", "joints.json", "joints.parquet"}
    told = json.loads((tmp_path / "out" / "joints.json").read_text())
    assert [file["source"] for file in told["files"]] == [str(images[0])]
    assert told["missing"] == [str(path) for path in images[1:]]
    assert f"joints are written of 1 of 3 inputs, the last of them {images[0]}" in caplog.text
    with pytest.raises(WeightsError, match="no number"):
        predict(images[1:], model, tmp_path / "nothing done", SETTINGS)
    assert not (tmp_path / "nothing done").exists()


def test_no_model_no_output(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no model")
    with pytest.raises(WeightsError, match="cannot read a fine-tuned model"):
        predict([clip], tmp_path / "model.pt", tmp_path / "out", SETTINGS)
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "encoder.pt")
    with pytest.raises(WeightsError, match=r"(?s)this is no fine-tuned model.*expected: model\.pt of fine-tuning"):
        predict([clip], tmp_path / "encoder.pt", tmp_path / "out", SETTINGS)
    assert not (tmp_path / "out").exists()


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    odd = tmp_path / "in" / "\udce4.png"  # a byte that is no UTF-8
    Image.fromarray(np.full((90, 120, 3), 90, np.uint8)).save(odd)
    (outcome,) = predict([odd], write_random_model(tmp_path / "model.pt"), tmp_path / "out", SETTINGS)
    assert (outcome.drawn, outcome.problem) == ("\ufffd_hands.jpg", None)
    assert json.loads((tmp_path / "out" / "joints.json").read_text())["files"][0]["drawn"] == outcome.drawn
