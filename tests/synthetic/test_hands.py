from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simhand.synthetic.anatomy import ANGLES
from simhand.synthetic.camera import Camera
from simhand.synthetic.forearm import forearm_faces, forearm_vertices, is_sleeve, ring_distances_m
from simhand.synthetic.hand_model import HandModel
from simhand.synthetic.hands import place_hand
from simhand.synthetic.motion import Motion
from simhand.synthetic.person import draw_person
from simhand.synthetic.postures import POSTURES
from simhand.synthetic.views import orientation

PERSON = draw_person(np.random.default_rng(11))


def still(posture: str, view_deg: tuple[float, float, float]) -> Motion:
    place = np.array([[0.5, 0.5, 0.4]])
    return Motion(POSTURES[posture][None], np.array([view_deg], dtype=float), place)


def test_a_left_hand_is_the_mirror_image_of_a_right_one(model: HandModel, camera: Camera, motion: Motion) -> None:
    mirrored = replace(motion, place=motion.place * [-1, 1, 1] + [1, 0, 0])
    right = place_hand(model, PERSON, "right", motion, camera)
    left = place_hand(model, PERSON, "left", mirrored, camera)
    np.testing.assert_allclose(left.joints_m * [-1, 1, 1], right.joints_m, atol=1e-12)
    np.testing.assert_allclose(left.vertices_m * [-1, 1, 1], right.vertices_m, atol=1e-12)
    np.testing.assert_array_equal(left.faces[:, ::-1], right.faces)  # so that outsides stay outsides
    pixels = camera.project(left.joints_m), camera.project(right.joints_m)
    np.testing.assert_allclose(pixels[0][..., 0], camera.width - 1 - pixels[1][..., 0])


@pytest.mark.parametrize(("side", "thumb_to_the"), [("right", 1), ("left", -1)])
def test_palm_up_the_thumb_points_outwards(model: HandModel, camera: Camera, side: str, thumb_to_the: int) -> None:
    hand = place_hand(model, PERSON, side, still("spread", (0, 0, 0)), camera)
    pixels = camera.project(hand.joints_m[0])
    assert (pixels[4, 0] - pixels[0, 0]) * thumb_to_the > 20  # as on one's own hand, palm towards the eyes
    assert pixels[12, 1] < pixels[0, 1] - 50  # fingers up


def test_views_turn_what_they_say(model: HandModel) -> None:
    palm, thumb = np.array([-1.0, 0, 0]), np.array([0.0, 0, 1])
    towards_camera = [0, 0, -1]
    views = orientation(np.array([[0, 0, 0], [-180, 0, 0], [-90, 0, 0], [0, 30, 0], [0, 0, 90]], dtype=float))
    np.testing.assert_allclose(views[0] @ palm, towards_camera, atol=1e-12)
    np.testing.assert_allclose(views[1] @ -palm, towards_camera, atol=1e-12)
    np.testing.assert_allclose(views[2] @ thumb, towards_camera, atol=1e-12)
    fingers = views[:, :, 1]
    np.testing.assert_allclose(fingers[:3], np.tile([0, -1, 0], (3, 1)), atol=1e-12)
    np.testing.assert_allclose(fingers[3], [0, -np.cos(np.pi / 6), -0.5], atol=1e-12)
    np.testing.assert_allclose(fingers[4], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(views), 1)


def test_hands_stand_where_they_are_put(model: HandModel, camera: Camera) -> None:
    for side in ("right", "left"):
        motion = Motion(POSTURES["flat"][None], np.zeros((1, 3)), np.array([[0.25, 0.6, 0.3]]))
        hand = place_hand(model, PERSON, side, motion, camera)
        depth = 440 * 0.18 / (0.3 * 384)
        wrist_px = [0.25 * 384 - 0.5, 0.6 * 288 - 0.5 + 440 * 0.085 / depth]  # the place is that of the hand's middle
        np.testing.assert_allclose(camera.project(hand.joints_m[0, 0]), wrist_px, atol=1e-3)
        assert hand.joints_m[0, 0, 2] == pytest.approx(depth)


def test_the_forearm_goes_on_from_the_wrist(model: HandModel) -> None:
    angles = np.stack([POSTURES["flat"]] * 3)
    angles[1, ANGLES.index("wrist_flexion")] = 40.0
    angles[2, ANGLES.index("wrist_deviation")] = 20.0
    vertices, _ = model.pose({}, angles)
    ring = model.wrist_ring()
    arm = forearm_vertices(vertices[:, ring], angles, bare_m=0.1).reshape(3, -1, len(ring), 3)
    centres = arm.mean(axis=2)
    ends = centres[:, -1] - centres[:, 5]
    directions = ends / np.linalg.norm(ends, axis=1, keepdims=True)
    np.testing.assert_allclose(directions[0], [0, -1, 0], atol=1e-6)
    np.testing.assert_allclose(directions[1], [-np.sin(np.radians(40)), -np.cos(np.radians(40)), 0], atol=1e-6)
    np.testing.assert_allclose(directions[2], [0, -np.cos(np.radians(20)), -np.sin(np.radians(20))], atol=1e-6)


def test_a_sleeve_is_wider_than_the_arm(model: HandModel) -> None:
    vertices, _ = model.pose({}, POSTURES["flat"][None])
    ring = model.wrist_ring()
    arm = forearm_vertices(vertices[:, ring], POSTURES["flat"][None], bare_m=0.1).reshape(-1, len(ring), 3)
    radii = np.linalg.norm(arm - arm.mean(axis=1, keepdims=True), axis=-1).mean(axis=1)
    distances, sleeve = ring_distances_m(0.1), is_sleeve(0.1)
    hem = int(np.flatnonzero(sleeve)[0])
    assert distances[hem - 1] == pytest.approx(0.1)
    assert radii[hem] / radii[hem - 1] == pytest.approx(1.22, abs=0.01)


def test_hand_and_forearm_close_up(model: HandModel) -> None:
    ring = model.wrist_ring()
    assert len(ring) == 20
    faces = np.concatenate([model.faces, forearm_faces(ring, 1609)])
    edges = np.concatenate([faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    directed, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 1).all()  # no two faces pass an edge the same way: all wind alike
    reverse = {tuple(edge) for edge in directed[:, ::-1].tolist()}
    open_edges = [edge for edge in map(tuple, directed.tolist()) if edge not in reverse]
    assert len(open_edges) == 20  # only the elbow is open
    assert min(min(edge) for edge in open_edges) >= faces.max() - 19


def test_people_differ_and_are_drawn_again_by_their_seed() -> None:
    first, again, other = (draw_person(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == again.shape
    assert first.shape != other.shape
    np.testing.assert_array_equal(first.back_rgb, again.back_rgb)
    tones = np.array([draw_person(np.random.default_rng(seed)).back_rgb for seed in range(200)])
    assert tones[:, 0].min() < 0.45
    assert tones[:, 0].max() > 0.85
    assert (tones[:, 0] > tones[:, 1]).all()
    assert (tones[:, 1] > tones[:, 2]).all()
