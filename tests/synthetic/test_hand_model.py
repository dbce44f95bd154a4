from __future__ import annotations

import numpy as np
import pytest
import torch

from simhand.synthetic.anatomy import ANGLES, FINGERS
from simhand.synthetic.hand_model import HandModel
from simhand.synthetic.postures import POSTURES

WRIST, THUMB_TIP, INDEX, MIDDLE = 0, 4, slice(5, 9), slice(9, 13)
AVERAGE: dict[str, float] = {}


def posed(model: HandModel, **angles_deg: float) -> np.ndarray:
    """Joints (21, 3) of the flat hand with some angles changed."""
    angles = POSTURES["flat"].copy()
    for name, value in angles_deg.items():
        angles[ANGLES.index(name)] = value
    return model.pose(AVERAGE, angles[None])[1][0]


def angle_deg(first: np.ndarray, second: np.ndarray) -> float:
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(cosine)))


def test_size_and_orientation(model: HandModel) -> None:
    vertices, joints = model.pose(AVERAGE, POSTURES["spread"][None])
    assert vertices.shape == (1, 1609, 3)
    assert joints.shape == (1, 21, 3)
    assert model.faces.shape == (3196, 3)
    np.testing.assert_allclose(joints[0, WRIST], 0, atol=1e-6)
    assert 0.15 < joints[0, 12, 1] < 0.22  # a middle finger's tip, along y, in metres
    assert joints[0, THUMB_TIP, 2] > 0.05  # the thumb is on the side of +z
    assert joints[0, 20, 2] < -0.04  # and the little finger on the other


def test_rest_angles_give_the_model_at_rest(model: HandModel) -> None:
    anny = model._anny
    parents = np.array(anny.bone_parents)
    angles = np.zeros(23)
    for finger, chain in zip(("thumb", *FINGERS), model.chains, strict=True):
        names = ["base", "middle", "end"] if finger == "thumb" else ["knuckle", "middle", "end"]
        for name, bone in zip(names, chain, strict=True):
            if (finger, name) != ("thumb", "base"):  # counted from rest
                relative = model.rest_bones[parents[bone], :3, :3].T @ model.rest_bones[bone, :3, :3]
                flexion = np.degrees(np.arctan2(relative[2, 1], relative[1, 1]))
                angles[ANGLES.index(f"{finger}_{name}_flexion")] = flexion
    vertices, _ = model.pose(AVERAGE, angles[None])
    with torch.inference_mode():
        rest = anny()["vertices"].numpy()
    np.testing.assert_allclose(vertices, rest, atol=2e-6)


@pytest.mark.parametrize("flexion_deg", [0.0, 30.0, 90.0])
def test_flexion_is_the_angle_between_bones(model: HandModel, flexion_deg: float) -> None:
    joints = posed(model, index_middle_flexion=flexion_deg)
    knuckle, middle, end, _ = joints[INDEX]
    assert angle_deg(middle - knuckle, end - middle) == pytest.approx(flexion_deg, abs=1.0)


@pytest.mark.parametrize("finger", range(1, 5))
def test_fingers_bend_towards_the_palm(model: HandModel, finger: int) -> None:
    name = FINGERS[finger - 1]
    straight = posed(model)
    bent = posed(model, **{f"{name}_knuckle_flexion": 80.0})
    tip = 4 * finger + 4
    assert bent[tip, 0] < straight[tip, 0] - 0.03  # the palm looks to -x
    others = [j for j in range(21) if not 4 * finger < j <= tip]
    np.testing.assert_allclose(bent[others], straight[others], atol=1e-6)


def test_abduction_goes_towards_the_thumb(model: HandModel) -> None:
    straight, spread = posed(model, index_knuckle_abduction=0.0), posed(model, index_knuckle_abduction=15.0)
    assert spread[8, 2] > straight[8, 2] + 0.01


def test_thumb_crosses_the_palm(model: HandModel) -> None:
    out, over = (model.pose(AVERAGE, POSTURES[name][None])[1][0] for name in ("thumb_up", "fist"))
    assert over[THUMB_TIP, 2] < out[THUMB_TIP, 2] - 0.05
    assert np.linalg.norm(over[THUMB_TIP] - over[10]) < 0.04  # it lies on the curled middle finger


def test_tips_meet_in_a_pinch(model: HandModel) -> None:
    for name in ("ok", "pinch"):
        joints = model.pose(AVERAGE, POSTURES[name][None])[1][0]
        assert np.linalg.norm(joints[THUMB_TIP] - joints[8]) < 0.025


def test_tips_are_the_ends_of_the_fingers(model: HandModel) -> None:
    vertices, joints = model.pose(AVERAGE, POSTURES["spread"][None])
    for tip in (8, 12, 16, 20):
        before, end = joints[0, tip - 1], joints[0, tip]
        direction = (end - before) / np.linalg.norm(end - before)
        of_bone = model.bone_of_vertex == model.chains[tip // 4 - 1, 2]
        reach = (vertices[0, of_bone] - before) @ direction
        assert reach.max() == pytest.approx(np.linalg.norm(end - before), abs=5e-4)


def test_bones_keep_their_lengths(model: HandModel) -> None:
    _, joints = model.pose(AVERAGE, np.stack(list(POSTURES.values())))
    first, second = (4, 3, 2, 8, 7, 6, 12, 11, 10, 20, 19, 18), (3, 2, 1, 7, 6, 5, 11, 10, 9, 19, 18, 17)
    lengths = np.linalg.norm(joints[:, first] - joints[:, second], axis=-1)
    ends = [0, 3, 6, 9]  # tips are vertices, whose skin gives a little
    np.testing.assert_allclose(
        np.delete(lengths, ends, axis=1), np.delete(lengths[:1], ends, axis=1).repeat(25, 0), atol=1e-5
    )
    np.testing.assert_allclose(lengths[:, ends], lengths[:1, ends].repeat(25, 0), atol=2e-3)


def test_shapes_differ(model: HandModel) -> None:
    long, short = (
        model.pose({"r-hand-fingers-length-incr": length}, POSTURES["flat"][None])[1][0] for length in (0.9, 0.0)
    )
    np.testing.assert_allclose(long[9], short[9], atol=2e-3)  # the knuckles stay
    assert long[12, 1] > short[12, 1] + 0.015
