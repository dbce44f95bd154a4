from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.synthetic.anatomy import LOWER_DEG, UPPER_DEG, within_limits
from simhand.synthetic.camera import Camera
from simhand.synthetic.hand_model import HandModel
from simhand.synthetic.hands import place_hand
from simhand.synthetic.motion import Region, draw_motion
from simhand.synthetic.person import draw_person
from simhand.synthetic.postures import POSTURES, draw_posture
from simhand.synthetic.views import VIEWS_DEG, draw_view

REGION = Region(x=(0.3, 0.7), y=(0.4, 0.6), size=(0.25, 0.4))
SEEDS = st.integers(0, 2**31)


def inside(angles_deg: np.ndarray) -> bool:
    return bool(((angles_deg >= LOWER_DEG) & (angles_deg <= UPPER_DEG)).all())


def test_limits_clip_each_angle_to_its_own_range() -> None:
    far = np.full(23, 1000.0)
    np.testing.assert_array_equal(within_limits(np.stack([far, -far])), [UPPER_DEG, LOWER_DEG])
    np.testing.assert_array_equal(within_limits(np.zeros(23)), np.zeros(23))


@pytest.mark.parametrize("name", POSTURES)
def test_postures_of_the_bank_are_inside_the_limits(name: str) -> None:
    assert inside(POSTURES[name])


@given(SEEDS)
def test_drawn_postures_are_inside_the_limits(seed: int) -> None:
    assert inside(draw_posture(np.random.default_rng(seed)))


@given(SEEDS, st.booleans())
def test_motions_stay_inside_the_limits(seed: int, leaves: bool) -> None:
    motion = draw_motion(np.random.default_rng(seed), np.arange(100) / 10, REGION, leaves)
    assert inside(motion.angles_deg)


@given(SEEDS)
def test_views_are_near_one_of_the_bank(seed: int) -> None:
    view = draw_view(np.random.default_rng(seed))
    off = np.abs(view - np.array(list(VIEWS_DEG.values())))
    assert (off <= [18.0, 16.0, 24.0]).all(axis=1).any()


def test_the_same_seed_is_the_same_motion() -> None:
    first, again, other = (
        draw_motion(np.random.default_rng(seed), np.arange(50) / 10, REGION, leaves=True) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.angles_deg, again.angles_deg)
    np.testing.assert_array_equal(first.place, again.place)
    assert np.abs(first.angles_deg - other.angles_deg).max() > 10


def test_a_hand_visits_many_postures() -> None:
    motion = draw_motion(np.random.default_rng(0), np.arange(300) / 10, REGION, leaves=False)
    index = motion.angles_deg[:, 5]  # index_knuckle_flexion
    assert np.ptp(index) > 60
    assert (np.abs(np.diff(index, n=1)) > 1).mean() > 0.3


@given(SEEDS)
def test_a_hand_stays_in_its_region_unless_it_leaves(seed: int) -> None:
    times = np.arange(200) / 10
    stays, leaves = (draw_motion(np.random.default_rng(seed), times, REGION, leaves=leaves) for leaves in (False, True))
    low, high = np.array([0.3, 0.4, 0.25]) - 0.02, np.array([0.7, 0.6, 0.4]) + 0.02
    assert ((stays.place >= low) & (stays.place <= high)).all()
    away = leaves.place[:, 1] > 1.4
    assert 3 <= away.sum() <= 60  # a hand as large as that is wholly below the picture
    assert (leaves.place[:, 1] < 0.62).sum() > 60


@pytest.mark.parametrize("seed", range(6))
def test_no_joint_jumps(model: HandModel, camera: Camera, seed: int) -> None:
    rng = np.random.default_rng(seed)
    motion = draw_motion(rng, np.arange(150) / 10, REGION, leaves=True)
    joints = place_hand(model, draw_person(rng), "right", motion, camera).joints_m
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1)
    assert steps.max() < 0.12  # metres in a tenth of a second: a quick hand
    assert np.median(steps) < 0.02
    jerks = np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1)
    assert jerks.max() < 0.12
