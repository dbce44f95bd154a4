from __future__ import annotations

from collections import Counter

import pytest

from simhand.doctor.drawing import draw
from simhand.videos.index import Video


def video(name: str, seconds: float, size: int = 1000) -> Video:
    return Video(name, f"/{name}", size, 0, "", seconds)


def test_of_each_source_two_at_least_and_together_about_as_many_as_asked_for() -> None:
    sources = {"small": [video(f"s{i}", 9) for i in range(10)], "large": [video(f"l{i}", 9) for i in range(190)]}
    drawn = draw(sources, 20)
    assert [len(one.videos) for one in drawn.values()] == [2, 19]
    assert drawn == draw(sources, 20)
    assert drawn != draw(sources, 20, seed=1)


def test_a_video_that_is_longer_than_a_step_is_always_drawn() -> None:
    videos = [video("long", 1000), *(video(f"{i}", 9) for i in range(100))]
    drawn = draw({"a": videos}, 11)["a"]
    assert [one.video_id for one in drawn.certain] == ["long"]
    assert (len(drawn.random), drawn.others, drawn.size_of_others) == (10, 100, 100 * (9 + 1))


def test_few_videos_are_all_drawn() -> None:
    videos = [video(f"{i}", i) for i in range(5)]
    drawn = draw({"a": videos}, 12)["a"]
    assert (sorted(drawn.certain), drawn.random) == (videos, [])
    assert len(draw({"a": videos[:1]}, 12)["a"].certain) == 1


def test_the_others_are_drawn_in_proportion_to_their_length() -> None:
    videos = [video(f"short{i}", 4) for i in range(50)] + [video(f"long{i}", 14) for i in range(50)]
    times = Counter(one.video_id[:4] for seed in range(300) for one in draw({"a": videos}, 10, seed)["a"].random)
    assert times["long"] / times["shor"] == pytest.approx(3, rel=0.1)  # a second is added to each


def test_bytes_stand_for_lengths_that_nobody_states() -> None:
    videos = [video("unknown", -1, 10**6), *(video(f"{i}", 9) for i in range(100))]
    drawn = draw({"a": videos}, 11)["a"]
    assert [one.video_id for one in drawn.certain] == ["unknown"]
    assert drawn.size_of_others == 100 * 1001
