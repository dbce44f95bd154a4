from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from simhand.videos.image_names import frame_numbers, is_image


def test_the_last_number_of_a_name_counts() -> None:
    names = ["p01_cam2_frame_0000120.jpg", "p01_cam2_frame_0000030.jpg", "p01_cam2_frame_0000090.jpg2", "x.txt"]
    assert frame_numbers(names) == {"p01_cam2_frame_0000030.jpg": 30, "p01_cam2_frame_0000120.jpg": 120}
    assert list(frame_numbers(["9.png", "10.png"])) == ["9.png", "10.png"]


def test_what_has_no_number_is_no_frame_where_others_have_one() -> None:
    assert frame_numbers(["cover.jpg", "b_60.jpg", "b_30.jpg"]) == {"b_30.jpg": 30, "b_60.jpg": 60}


def test_without_clear_numbers_they_are_counted_in_natural_order() -> None:
    assert frame_numbers(["b.jpg", "a.jpg"]) == {"a.jpg": 0, "b.jpg": 1}
    assert frame_numbers(["b10x1.jpg", "b9x1.jpg", "a.jpg"]) == {"a.jpg": 0, "b9x1.jpg": 1, "b10x1.jpg": 2}
    assert frame_numbers(["left_1.jpg", "right_1.jpg"]) == {"left_1.jpg": 0, "right_1.jpg": 1}
    assert frame_numbers(["20261121083000123.jpg", "20261121083000456.jpg"]) == {
        "20261121083000123.jpg": 0,
        "20261121083000456.jpg": 1,
    }
    assert frame_numbers([]) == {}


def test_what_is_an_image() -> None:
    assert all(map(is_image, ["a.jpg", "A.JPEG", "b.png", "c.webp"]))
    assert not any(map(is_image, [".a.jpg", "a.gif", "jpg", "a.jpg.part"]))


@given(st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=8), unique=True))
def test_every_frame_has_a_number_of_its_own(stems: list[str]) -> None:
    names = [f"a{stem}.jpg" for stem in stems]
    numbers = frame_numbers(names)
    assert set(numbers) in (set(names), {name for name in names if re.search(r"\d", name)})
    assert list(numbers.values()) == sorted(set(numbers.values()))
