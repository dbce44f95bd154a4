from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simhand.frames.decode import sample_indices


def test_one_frame_a_second_at_thirty_frames_a_second() -> None:
    starts = np.arange(95) / 30
    assert sample_indices(starts, 95 / 30, 1.0).tolist() == [0, 30, 60, 90]


def test_the_frame_on_display_counts_when_the_rate_varies() -> None:
    starts = np.array([0.0, 0.1, 0.9, 2.05, 2.1, 5.0])
    # due at 0, 1, 2, 3, 4, 5: frames 0, 2, 2 (on display until 2.05), 4, 4, 5
    assert sample_indices(starts, 5.5, 1.0).tolist() == [0, 2, 4, 5]


def test_times_count_from_the_first_frame() -> None:
    starts = 7.0 + np.arange(20) / 10
    assert sample_indices(starts, 9.0, 2.0).tolist() == [0, 5, 10, 15]


def test_a_slow_video_gives_each_frame_once() -> None:
    assert sample_indices(np.array([0.0, 1.0, 2.0]), 3.0, 10.0).tolist() == [0, 1, 2]


def test_rounded_times_of_a_container_do_not_shift_frames() -> None:
    starts = np.round(np.arange(90) / 29.97, 3)
    assert sample_indices(starts, 90 / 29.97, 29.97).tolist() == list(range(90))


@given(
    st.lists(st.floats(0.004, 3.0), min_size=1, max_size=60),
    st.floats(0.1, 30.0),
    st.floats(-5.0, 5.0),
    st.floats(0.01, 2),
)
def test_every_sample_is_the_frame_on_display(gaps: list[float], fps: float, first_s: float, last_s: float) -> None:
    starts = first_s + np.cumsum([0.0, *gaps])
    indices = sample_indices(starts, starts[-1] + last_s, fps)
    assert indices[0] == 0
    assert (np.diff(indices) > 0).all()
    due = starts[0] + np.arange(0, (starts[-1] + last_s - starts[0] - 0.0011) * fps) / fps
    on_display = {int(np.flatnonzero(starts <= time + 1e-3)[-1]) for time in due}
    assert on_display <= set(indices.tolist())
