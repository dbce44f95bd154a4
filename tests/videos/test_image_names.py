from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simhand.videos.image_names import frame_numbers, is_image


def test_the_last_number_of_a_name_counts() -> None:
    names = ["p01_cam2_frame_0000120.jpg", "p01_cam2_frame_0000030.jpg", "p01_cam2_frame_0000090.jpg2", "x.txt"]
    assert frame_numbers(names) == {"p01_cam2_frame_0000030.jpg": 30, "p01_cam2_frame_0000120.jpg": 120}
    assert list(frame_numbers(["9.png", "10.png"])) == ["9.png", "10.png"]


def test_without_a_number_for_each_they_are_counted_in_natural_order() -> None:
    assert frame_numbers(["a.jpg", "b10.jpg", "b9.jpg"]) == {"a.jpg": 0, "b9.jpg": 1, "b10.jpg": 2}
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
def test_every_image_has_a_number_of_its_own(stems: list[str]) -> None:
    names = [f"a{stem}.jpg" for stem in stems]
    numbers = frame_numbers(names)
    assert set(numbers) == set(names)
    assert list(numbers.values()) == sorted(set(numbers.values()))
