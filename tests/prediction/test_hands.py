"""What a model says about a detected hand, told in the frame's own pixels."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from simhand.errors import WeightsError
from simhand.finetuning.formats import READERS, Format
from simhand.hands.detector import Detection
from simhand.joints import MIDDLE_BASE
from simhand.prediction.hands import FoundHand, Predictor, square_factor
from simhand.prediction.settings import PredictionSettings
from simhand.prediction.squares import square_around
from tests.prediction.made_up import smooth_noise, write_broken_model, write_random_model

SETTINGS = PredictionSettings(device="cpu")
BOX = (40.0, 30.0, 120.0, 110.0)  # whose (0, 0) is the corner of the first pixel, as detectors have it
HEIGHT, WIDTH = 160, 200


def detection(box: tuple[float, float, float, float] = BOX, side: str = "right", score: float = 0.9) -> Detection:
    return Detection(box, score, side, side.title())


def in_mirror(hand: Detection) -> Detection:
    x1, y1, x2, y2 = hand.box
    return detection((WIDTH - x2, y1, WIDTH - x1, y2), {"left": "right", "right": "left"}[hand.side], hand.score)


@pytest.fixture(scope="module", params=["detnet", "regression25d"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("model") / "model.pt", head=request.param)


@pytest.fixture
def frame() -> np.ndarray:
    return smooth_noise(np.random.default_rng(1), HEIGHT, WIDTH)


@pytest.mark.parametrize("behaviour", ["paper", "official"])
def test_a_left_hand_is_exactly_the_right_one_in_the_mirror(tmp_path: Path, frame: np.ndarray, behaviour: str) -> None:
    predictor = Predictor(write_random_model(tmp_path / "model.pt", behaviour=behaviour), SETTINGS)
    ((right,),) = predictor.hands_in([frame], [[detection()]])
    ((left,),) = predictor.hands_in([frame[:, ::-1].copy()], [[in_mirror(detection())]])
    assert (right.side, left.side) == ("right", "left")
    assert right.box == (39.5, 29.5, 119.5, 109.5)
    np.testing.assert_allclose(left.keypoints_px[:, 0], WIDTH - 1 - right.keypoints_px[:, 0])
    np.testing.assert_allclose(left.keypoints_px[:, 1], right.keypoints_px[:, 1])
    np.testing.assert_allclose(left.joints_mm, right.joints_mm * [-1, 1, 1])
    ((other,),) = predictor.hands_in([frame], [[detection(side="left")]])
    assert np.abs(other.keypoints_px - right.keypoints_px).max() > 1  # what is not mirrored is not the same


def test_keypoints_are_the_models_moved_from_the_crop_to_the_frame(tmp_path: Path, frame: np.ndarray) -> None:
    """DetNet's are the middles of cells of 4 px, which are cells of the frame too, each 10 px: 160 px for 64."""
    ((hand,),) = Predictor(write_random_model(tmp_path / "m.pt"), SETTINGS).hands_in([frame], [[detection()]])
    corner = np.trunc([79.5, 69.5]) - 80  # the square's, of the first pixel's centre
    cells = (hand.keypoints_px - corner) / 10
    assert (np.abs(cells - np.floor(cells) - 0.5) < 0.06).all()  # half a pixel may lie between conventions
    assert (cells > 0).all()
    assert (cells < 16).all()


def test_lengths_follow_the_assumed_bone(model: Path, frame: np.ndarray) -> None:
    ((usual,),) = Predictor(model, SETTINGS).hands_in([frame], [[detection()]])
    settings = PredictionSettings(device="cpu", bone_mm=50, focal_px=SETTINGS.focal_px)
    ((small,),) = Predictor(model, settings).hands_in([frame], [[detection()]])
    assert (usual.bone_mm, small.bone_mm) == (100, 50)
    np.testing.assert_allclose(small.joints_mm, usual.joints_mm / 2)
    np.testing.assert_allclose(small.keypoints_px, usual.keypoints_px)
    assert (usual.joints_mm[0] == 0).all()


def test_regressed_joints_have_the_assumed_bone_and_lie_behind_their_keypoints(tmp_path: Path) -> None:
    """2.5D keypoints become 3D by the camera: seen by it, the joints lie where the keypoints do."""
    frame = smooth_noise(np.random.default_rng(1), HEIGHT, WIDTH)
    predictor = Predictor(write_random_model(tmp_path / "m.pt", head="regression25d"), SETTINGS)
    ((hand,),) = predictor.hands_in([frame], [[detection(side="left")]])
    assert np.linalg.norm(hand.joints_mm[MIDDLE_BASE]) == pytest.approx(100, rel=1e-4)
    assert hand.focal_px == WIDTH
    rays = np.column_stack([(hand.keypoints_px - [(WIDTH - 1) / 2, (HEIGHT - 1) / 2]) / hand.focal_px, np.ones(21)])
    # joints are root + joints_mm and lie along the rays: ray x (root + joint) = 0, for 21 joints
    system = np.concatenate([np.cross(ray, np.eye(3)).T for ray in rays])  # (63, 3)
    sides = np.concatenate([np.cross(joint, ray) for joint, ray in zip(hand.joints_mm, rays, strict=True)])
    root = np.linalg.lstsq(system, sides, rcond=None)[0]
    seen = hand.joints_mm + root
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], rays[:, :2], atol=1e-3)


def test_frames_may_differ_and_have_any_number_of_hands(model: Path, frame: np.ndarray) -> None:
    small = smooth_noise(np.random.default_rng(2), 80, 64)
    hands = [[detection(), detection((5, 5, 30, 60), "left")], [], [detection((20, 25, 40, 45))]]
    predictor = Predictor(model, SETTINGS)
    found = predictor.hands_in([frame, frame, small], hands)
    assert [len(one) for one in found] == [2, 0, 1]
    assert [hand.side for hand in found[0]] == ["left", "right"]  # from left to right in the frame
    for one, image, asked in ((found[0][1], frame, hands[0][0]), (found[2][0], small, hands[2][0])):
        ((alone,),) = predictor.hands_in([image], [[asked]])
        np.testing.assert_allclose(one.joints_mm, alone.joints_mm, rtol=1e-4, atol=1e-2)
    assert predictor.hands_in([], []) == []


def test_a_hand_at_the_border_is_seen_with_black_beyond(model: Path, frame: np.ndarray) -> None:
    found: list[FoundHand] = Predictor(model, SETTINGS).hands_in([frame], [[detection((-30, 100, 30, 170))]])[0]
    assert np.isfinite(found[0].keypoints_px).all()


@pytest.mark.parametrize("layout", READERS)
def test_squares_are_those_that_the_readers_cut(layout: Format) -> None:
    reader = import_module(READERS[layout].__module__)
    assert square_factor({"format": layout}) == reader.CROP_FACTOR


def test_squares_are_those_of_the_models_training() -> None:
    assert [square_factor({"format": name}) for name in ("freihand", "dexycb", "assemblyhands")] == [2.0, 1.75, 1.75]
    assert square_factor({}) == 2.0
    assert square_around(BOX, False, WIDTH, square_factor({}), 64).side_px == 160


def test_a_model_that_predicts_no_numbers_is_refused(tmp_path: Path, frame: np.ndarray) -> None:
    model = write_broken_model(tmp_path / "model.pt")
    with pytest.raises(WeightsError, match="no number"):
        Predictor(model, SETTINGS).hands_in([frame], [[detection()]])
