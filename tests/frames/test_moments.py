from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simhand.frames.moments import TOLERANCE_S, on_display, sample_indices


def test_one_frame_a_second_at_thirty_frames_a_second() -> None:
    assert sample_indices([i / 30 for i in range(95)], 95 / 30, 1.0) == [0, 30, 60, 90]


def test_the_frame_on_display_counts_when_the_rate_varies() -> None:
    # due at 0, 1, 2, 3, 4, 5: frames 0, 2, 2 (on display until 2.05), 4, 4, 5
    assert sample_indices([0.0, 0.1, 0.9, 2.05, 2.1, 5.0], 5.5, 1.0) == [0, 2, 4, 5]


def test_times_count_from_the_first_frame() -> None:
    assert sample_indices([7 + i / 10 for i in range(20)], 9.0, 2.0) == [0, 5, 10, 15]


def test_a_slow_video_gives_each_frame_once() -> None:
    assert sample_indices([0.0, 1.0, 2.0], 3.0, 10.0) == [0, 1, 2]


def test_rounded_times_of_a_container_do_not_shift_frames() -> None:
    starts = [round(i / 29.97, 3) for i in range(90)]
    assert sample_indices(starts, 90 / 29.97, 29.97) == list(range(90))


def test_no_sample_hangs_on_the_last_digit_of_a_float_at_the_rate_of_ntsc() -> None:
    starts = np.arange(300) * 1001 / 30000  # frame 30 appears at 1.001 s: not yet at 1 s
    assert sample_indices(starts.tolist(), 10.01, 1.0)[:3] == [0, 29, 59]
    assert sample_indices(starts.astype(np.float32).tolist(), 10.01, 1.0)[:3] == [0, 29, 59]


def test_a_sample_at_the_rounded_end_of_the_last_frame_is_none() -> None:
    assert sample_indices([i / 30 for i in range(60)], 2.001, 1.0) == [0, 30]


def test_a_gap_of_years_takes_no_time() -> None:
    assert sample_indices([0.0, 0.5, 1e12], 1e12 + 1, 30.0) == [0, 1, 2]


@given(
    st.lists(st.floats(0.004, 3.0), min_size=1, max_size=60),
    st.floats(0.1, 30.0),
    st.floats(-5.0, 5.0),
    st.floats(0.01, 2),
)
def test_every_sample_is_the_frame_on_display(gaps: list[float], fps: float, first_s: float, last_s: float) -> None:
    starts = np.cumsum([first_s, *gaps]).tolist()
    end_s = starts[-1] + last_s
    due = [starts[0] + i / fps for i in range(2000)]
    seen = [time + TOLERANCE_S for time in due if time + 2 * TOLERANCE_S < starts[-1] + (end_s - starts[-1])]
    expected = sorted({int(np.searchsorted(starts, time, side="right")) - 1 for time in seen} | {0})
    assert sample_indices(starts, end_s, fps) == expected


def test_not_more_than_one_frame_is_held_back() -> None:
    taken = []

    def frames() -> list[tuple[float, int]]:
        for i in range(5):
            taken.append(i)
            yield float(i), i

    for _, i in on_display(frames(), 1.0, 1.0):
        assert taken[-1] <= i + 1
    assert taken == [0, 1, 2, 3, 4]
