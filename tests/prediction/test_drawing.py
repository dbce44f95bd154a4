"""What is drawn lies where the hands are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simhand.joints import MIDDLE_BASE
from simhand.prediction.drawing import draw_frame
from simhand.prediction.lettering import text_width, write_text
from simhand.prediction.panel import draw_panel, numbers_by_place
from simhand.prediction.skeleton import FINGER_COLOURS, draw_flat, draw_in_space
from tests.prediction.made_up import found_hand

GREY = np.full((160, 200, 3), 128, np.uint8)


def spread_hand() -> np.ndarray:
    """Keypoints (21, 2) of five straight fingers, in a picture of 200 x 160."""
    angles = np.deg2rad(np.linspace(-150, -30, 5))
    steps = np.array([30.0, 60, 80, 100])
    fingers = steps[None, :, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None]
    return np.array([100, 130]) + np.concatenate([np.zeros((1, 2)), fingers.reshape(20, 2)])


def test_each_finger_has_its_colour_along_its_bones() -> None:
    picture, keypoints = GREY.copy(), spread_hand()
    draw_flat(picture, keypoints)
    for finger, colour in enumerate(FINGER_COLOURS):
        joints = [0, *range(1 + 4 * finger, 5 + 4 * finger)]
        for start, end in pairwise(joints):
            x, y = np.rint(keypoints[[start, end]].mean(axis=0)).astype(int)
            assert picture[y, x].tolist() == list(colour)
    assert picture[5, 5].tolist() == [128, 128, 128]


def test_what_lies_outside_of_the_picture_does_no_harm() -> None:
    draw_flat(GREY.copy(), spread_hand() + 1e7)
    draw_flat(GREY.copy(), spread_hand() - 150)


@pytest.mark.parametrize(("height", "width"), [(160, 200), (48, 33), (1500, 701), (600, 4000), (2, 900)])
def test_drawings_have_even_sides_and_a_sensible_size(height: int, width: int) -> None:
    for places in (0, 1, 2, 3):
        drawn = draw_frame(np.zeros((height, width, 3), np.uint8), [], 100.0, places)
        assert drawn.shape[0] % 2 == drawn.shape[1] % 2 == 0
        assert drawn.shape[0] <= 1080


def test_hands_stay_on_their_places_when_a_small_picture_is_drawn_larger() -> None:
    """160 px high is drawn 600 px high: pixel centres move by the same map as pixels."""
    keypoints = spread_hand()
    hand = found_hand(np.random.default_rng(0), keypoints_px=keypoints)
    drawn = draw_frame(GREY, [hand], 100.0, places=1)
    for joint in range(1, 21):
        x, y = np.rint((keypoints[joint] + 0.5) * 600 / 160 - 0.5).astype(int)
        assert drawn[y, x].tolist() == list(FINGER_COLOURS[(joint - 1) // 4])
    assert drawn.shape[:2] == (600, 750 + 300)


def test_several_hands_are_numbered() -> None:
    rng = np.random.default_rng(0)
    hands = [found_hand(rng), found_hand(rng, "left")]
    drawn = draw_frame(GREY, hands, 100.0, places=2)
    for hand in hands:
        x, y = np.rint((hand.keypoints_px[0] + 0.5) * 600 / 160 - 0.5).astype(int)
        badge = drawn[y - 8 : y + 8, x - 8 : x + 8].reshape(-1, 3).mean(axis=1)
        assert (badge > 240).mean() > 0.4  # white, with a dark number
        assert (badge < 60).any()


def test_frames_of_a_video_have_one_size_whatever_they_show() -> None:
    rng = np.random.default_rng(0)
    hands = [found_hand(rng, side) for side in ("left", "right", "right", "left")]
    assert len({draw_frame(GREY, hands[:count], 100.0, places=2).shape for count in range(5)}) == 1


def test_left_hands_are_at_the_top_and_right_ones_at_the_bottom() -> None:
    rng = np.random.default_rng(0)
    left, right = found_hand(rng, "left"), found_hand(rng)
    assert numbers_by_place([right], 2) == {1: 0}
    assert numbers_by_place([left], 2) == {0: 0}
    assert numbers_by_place([right, left], 2) == {0: 1, 1: 0}
    assert numbers_by_place([right, right], 2) == {0: 0, 1: 1}
    assert numbers_by_place([right, left, right], 3) == {0: 1, 1: 0, 2: 2}


def test_in_space_a_joint_lies_at_its_place_and_the_near_hide_the_far() -> None:
    picture = np.full((201, 201, 3), 255, np.uint8)
    joints = np.zeros((21, 3))
    joints[:, 2] = 90.0
    joints[8] = [50, -25, 0]  # tip of the index finger, to the right and up
    joints[20] = [50, -25, 80]  # tip of the little finger behind it
    draw_in_space(picture, joints, px_per_unit=1.0, reach=100.0, paper=(255, 255, 255))
    assert np.abs(picture[75, 150].astype(int) - FINGER_COLOURS[1]).max() < 30
    assert (picture[20] == 255).all()


def test_views_are_from_the_camera_and_from_the_side() -> None:
    """A tip 60 mm to the right of the middle finger's base, 40 below, and 50 nearer to the camera."""
    joints = np.zeros((21, 3))
    joints[MIDDLE_BASE] = [0, -100, 0]
    joints[4] = joints[MIDDLE_BASE] + [60, 40, -50]
    panel = draw_panel(600, [found_hand(np.random.default_rng(0), joints_mm=joints)], 100.0, places=1)
    assert panel.shape == (600, 300, 3)
    thumb = np.argwhere((np.abs(panel.astype(int) - FINGER_COLOURS[0]) < 12).all(axis=2))  # (n, 2) y, x
    # views of about 270 px for 280 mm, the upper one from the camera
    upper, lower = thumb[thumb[:, 0] < 300], thumb[thumb[:, 0] >= 300]
    assert upper[:, 1].max() - 150 == pytest.approx(60 * 270 / 280, abs=6)
    assert 150 - lower[:, 1].min() == pytest.approx(50 * 270 / 280, abs=8)  # nearer is to the left
    # both show it at the same height
    assert upper[upper[:, 1].argmax(), 0] - (lower[lower[:, 1].argmin(), 0] - 278) == pytest.approx(0, abs=6)


def test_text_is_cut_off_at_the_border() -> None:
    for place in ((-20, -5), (190, 150), (500, 500), (-500, 20)):
        write_text(GREY.copy(), "left hand", place, 20, (0, 0, 0))
    picture = GREY.copy()
    write_text(picture, "left hand", (10, 10), 20, (0, 0, 0))
    changed = np.argwhere(picture[..., 0] != 128)
    assert changed.min(axis=0)[1] >= 10
    assert changed.max(axis=0)[1] <= 10 + text_width("left hand", 20)
    assert changed.max(axis=0)[0] <= 10 + 30
