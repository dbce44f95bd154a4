from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from simhand.synthetic.background import Backdrop
from simhand.synthetic.camera import Camera
from simhand.synthetic.hand_model import HandModel
from simhand.synthetic.hands import Hand, Side, place_hand
from simhand.synthetic.motion import Motion
from simhand.synthetic.person import Person, draw_person
from simhand.synthetic.postures import POSTURES
from simhand.synthetic.scene import draw_frame, draw_hand
from simhand.synthetic.sensor import Sensor
from simhand.synthetic.shading import draw_light

LIGHT = draw_light(np.random.default_rng(0))


def bare_person(seed: int) -> Person:
    return replace(draw_person(np.random.default_rng(seed)), bare_forearm_m=0.3)


def still(model: HandModel, camera: Camera, side: Side, place: tuple[float, float, float]) -> Hand:
    motion = Motion(POSTURES["spread"][None], np.zeros((1, 3)), np.array([place]))
    return place_hand(model, bare_person(0), side, motion, camera)


def black(camera: Camera) -> np.ndarray:
    return np.zeros((camera.height, camera.width, 3), np.uint8)


@pytest.mark.parametrize("side", ["right", "left"])
def test_joints_fall_on_the_drawn_hand(model: HandModel, camera: Camera, motion: Motion, side: Side) -> None:
    hand = place_hand(model, bare_person(4), side, motion, camera)
    for frame in range(0, 80, 4):
        picture, _ = draw_frame([hand], frame, black(camera), camera, LIGHT)
        outside = (picture.sum(axis=-1) < 3).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, 5)  # pixels to the nearest pixel of the hand
        pixels = camera.project(hand.joints_m[frame])
        column, row = np.round(pixels[camera.inside(pixels)]).astype(int).T
        assert distance[row, column].max() <= 1.5
        assert outside.mean() > 0.6


def test_tips_are_where_the_drawing_ends(model: HandModel, camera: Camera) -> None:
    hand = still(model, camera, "right", (0.5, 0.5, 0.4))
    picture, _ = draw_frame([hand], 0, black(camera), camera, LIGHT)
    top = int(np.flatnonzero(picture.sum(axis=(1, 2)) > 3)[0])
    middle_tip = camera.project(hand.joints_m[0])[12]
    assert top == pytest.approx(middle_tip[1], abs=2)


def test_the_picture_is_the_background_where_there_is_no_hand(model: HandModel, camera: Camera) -> None:
    background = Backdrop(np.random.default_rng(0), camera.width, camera.height).at(0.0)
    hand = still(model, camera, "right", (0.2, 0.5, 0.3))
    picture, visible = draw_frame([hand], 0, background, camera, LIGHT)
    assert visible == [True]
    np.testing.assert_array_equal(picture[:, 200:], background[:, 200:])
    assert np.abs(picture[:, :150] - background[:, :150]).max() > 30


def test_a_hand_below_the_picture_is_not_visible(model: HandModel, camera: Camera) -> None:
    hand = still(model, camera, "left", (0.5, 1.9, 0.35))
    assert draw_hand(hand, 0, camera, LIGHT) is None
    picture, visible = draw_frame([hand], 0, black(camera), camera, LIGHT)
    assert visible == [False]
    assert picture.max() == 0


def test_a_hand_half_in_the_picture_is_not_visible(model: HandModel, camera: Camera) -> None:
    _, visible = draw_frame([still(model, camera, "right", (0.5, 1.05, 0.35))], 0, black(camera), camera, LIGHT)
    assert visible == [False]


def test_a_nearer_hand_hides_a_farther_one(model: HandModel, camera: Camera) -> None:
    far, near = (still(model, camera, "right", (0.5, 0.5, size)) for size in (0.30, 0.40))
    alone, _ = draw_frame([near], 0, black(camera), camera, LIGHT)
    for hands, expected in (([far, near], [False, True]), ([near, far], [True, False])):
        picture, visible = draw_frame(hands, 0, black(camera), camera, LIGHT)
        assert visible == expected
        solid = cv2.erode((alone.sum(axis=-1) > 60).astype(np.uint8), np.ones((5, 5))) > 0
        np.testing.assert_allclose(picture[solid], alone[solid], atol=1e-3)


def test_shading_shows_the_form(model: HandModel, camera: Camera) -> None:
    hand = still(model, camera, "right", (0.5, 0.5, 0.4))
    picture, _ = draw_frame([hand], 0, black(camera), camera, LIGHT)
    grey = picture.mean(axis=-1)
    assert np.std(grey[grey > 20]) > 8


def test_a_backdrop_drifts_slowly() -> None:
    backdrop = Backdrop(np.random.default_rng(3), 96, 64)
    first, soon, later = (backdrop.at(t).astype(float) for t in (0.0, 0.1, 4.0))
    assert first.shape == (64, 96, 3)
    assert 0 < np.abs(soon - first).mean() < np.abs(later - first).mean()


def test_a_sensor_adds_noise_of_its_own_strength() -> None:
    sensor = Sensor(np.random.default_rng(0), 96, 64)
    rng = np.random.default_rng(1)
    grey = np.full((64, 96, 3), 120, np.float32)
    first, second = sensor.expose(rng, grey), sensor.expose(rng, grey)
    assert first.dtype == np.uint8
    assert 0.8 < first.std() < 6
    assert (first != second).mean() > 0.3
