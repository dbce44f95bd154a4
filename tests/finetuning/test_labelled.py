"""Labelled sets, whatever their layout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.errors import LabelledSetError
from simhand.finetuning.labelled import LabelledSet, hand_squares, names_of, project, read_image, share_of_labels


def a_set(labels: int, backgrounds: int) -> LabelledSet:
    rng = np.random.default_rng(0)
    count = labels * backgrounds
    of = np.arange(count) % labels
    names = names_of([f"{row}.jpg" for row in range(count)])
    return LabelledSet(
        root=Path("nowhere"),
        names=names,
        images=names,
        flipped=np.zeros(count, dtype=bool),
        labels=of,
        sequences=of,
        views=names_of([""] * count),
        joints_mm=rng.normal(size=(labels, 21, 3))[of],
        seen=np.ones((count, 21), dtype=bool),
        keypoints_px=rng.normal(size=(labels, 21, 2))[of],
        cameras=np.tile(np.eye(3), (count, 1, 1)),
        centers_px=np.zeros((count, 2)),
        sides_px=np.ones(count),
        hidden=np.full(count, np.nan),
    )


def test_a_subset_keeps_rows_together() -> None:
    hands = a_set(5, 2)
    part = hands.subset(np.array([7, 1]))
    assert part.images.tolist() == ["7.jpg", "1.jpg"]
    assert part.labels.tolist() == [2, 1]
    np.testing.assert_array_equal(part.joints_mm, hands.joints_mm[[7, 1]])
    np.testing.assert_array_equal(part.keypoints_px, hands.keypoints_px[[7, 1]])


@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 100), st.integers(1, 100), st.integers(0, 1000))
def test_shares_are_nested_and_whole(labels: int, backgrounds: int, percent: int, more: int, seed: int) -> None:
    hands = a_set(labels, backgrounds)
    small, large = (share_of_labels(hands, part, seed) for part in sorted((percent, more)))
    assert set(small.images.tolist()) <= set(large.images.tolist())
    chosen = set(small.labels.tolist())
    assert len(chosen) == max(1, round(labels * min(percent, more) / 100))
    assert len(small) == backgrounds * len(chosen)  # each label with all its images


def test_shares_depend_on_the_seed_alone() -> None:
    hands = a_set(40, 1)
    drawn = [share_of_labels(hands, 50, seed).images.tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert share_of_labels(hands, 100, 5).images.tolist() == hands.images.tolist()


def test_the_fingerprint_tells_sets_apart_but_not_places() -> None:
    hands = a_set(5, 1)
    assert replace(hands, root=Path("elsewhere")).fingerprint() == hands.fingerprint()
    assert replace(hands, joints_mm=hands.joints_mm + 1e-9).fingerprint() != hands.fingerprint()
    assert hands.subset(np.arange(4)).fingerprint() != hands.fingerprint()


def test_the_fingerprint_tells_every_column(recwarn: pytest.WarningsRecorder) -> None:
    hands = a_set(3, 1)
    for name in ("names", "views"):
        others = names_of(["one", "two", "three"])
        assert replace(hands, **{name: others}).fingerprint() != hands.fingerprint()
    for name in ("flipped", "seen"):
        values = getattr(hands, name).copy()
        values[(0, 20) if name == "seen" else 0] ^= True
        assert replace(hands, **{name: values}).fingerprint() != hands.fingerprint()
    for name in ("labels", "sequences", "keypoints_px", "cameras", "centers_px", "sides_px"):
        assert replace(hands, **{name: getattr(hands, name) + 1}).fingerprint() != hands.fingerprint()
    assert not recwarn.list


@pytest.mark.parametrize("joint", [0, 9])
def test_a_hand_without_its_unit_of_length_is_refused(joint: int) -> None:
    hands = a_set(3, 1)
    seen = hands.seen.copy()
    seen[1, joint] = False
    with pytest.raises(LabelledSetError, match=r"(?s)wrist or middle.*1\.jpg"):
        replace(hands, seen=seen)


@given(st.integers(1, 60), st.integers(1, 4), st.integers(1, 100))
def test_official_shares_are_the_first_hands(labels: int, backgrounds: int, percent: int) -> None:
    hands = a_set(labels, backgrounds)
    part = share_of_labels(hands, percent, 0, first=True)
    assert part.images.tolist() == hands.images[: max(1, int(percent * len(hands) / 100))].tolist()


def test_squares_of_what_is_seen() -> None:
    keypoints = np.tile((10.0, 20.0), (1, 21, 1))
    keypoints[0, 3], keypoints[0, 4] = (41.0, 33.0), (900.0, np.nan)
    seen = np.arange(21)[None] != 4
    centers, sides = hand_squares(keypoints, 1.75, seen)
    np.testing.assert_array_equal(centers, [[25, 26]])
    np.testing.assert_array_equal(sides, [1.75 * 31])


def test_squares_by_hand() -> None:
    keypoints = np.tile((10.0, 20.0), (1, 21, 1))
    keypoints[0, 3] = (41.0, 33.0)
    centers, sides = hand_squares(keypoints, 2.0)
    np.testing.assert_array_equal(centers, [[25, 26]])  # of 25.5 and 26.5
    np.testing.assert_array_equal(sides, [62])


def test_projection_by_hand() -> None:
    joints = np.tile((1.0, -2.0, 4.0), (1, 21, 1))
    camera = np.array([[[100.0, 0, 50], [0, 200, 60], [0, 0, 1]]])
    np.testing.assert_allclose(project(joints, camera)[0, 0], (75, -40))


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "hand.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LabelledSetError, match=r"hand\.jpg"):
        read_image(path)
