from __future__ import annotations

import logging

import pytest

from simhand.progress import Progress, duration


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_line_tells_count_rate_finds_and_time_left(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("simhand.progress.time.monotonic", lambda: now[0])
    with caplog.at_level(logging.INFO), Progress("frames", 3600) as progress:
        for _ in range(4):
            now[0] += 10
            progress.advance(300, hands=150)
        assert lines(caplog) == ["frames: 900 of 3,600 (25 %), 30 frames/s, 450 hands, 90 s left"]
        now[0] += 60
        progress.advance(2400, hands=0)
    assert lines(caplog)[1:] == ["frames: 3,600 of 3,600 (100 %), 36 frames/s, 600 hands, done after 2 min"]


def test_a_loop_that_fails_says_how_far_it_came(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="broken"), Progress("videos", 10) as progress:
        progress.advance(3)
        raise ValueError("broken")
    assert len(lines(caplog)) == 1
    assert lines(caplog)[0].startswith("videos: 3 of 10 (30 %)")
    assert "stopped after 0 s" in lines(caplog)[0]


def test_nothing_to_do_is_done(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), Progress("hands", 0):
        pass
    assert lines(caplog) == ["hands: 0 of 0 (100 %), 0 hands/s, done after 0 s"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (99.4, "99 s"),
        (100, "2 min"),
        (5900, "98 min"),
        (7260, "2 h 1 min"),
        (float("inf"), "unknown time"),
    ],
)
def test_durations_for_reading(seconds: float, text: str) -> None:
    assert duration(seconds) == text
