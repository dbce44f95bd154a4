from __future__ import annotations

from math import inf

from simhand.doctor.amounts import count, size, time
from simhand.doctor.bootstrap import Range


def test_units_suit_the_amount() -> None:
    assert time(Range(45, 30, 70)) == "45 s (30 to 70)"
    assert time(Range(720, 600, 900)) == "12 min (10 to 15)"
    assert time(Range(7.2e4, 3.6e4, inf)) == "20 h (10 to unknown)"
    assert size(Range(1200, 1000, 1500)) == "1.2 GB (1.0 to 1.5)"
    assert size(Range(2.5e6, 2.4e6, 2.6e6)) == "2.5 TB (2.4 to 2.6)"
    assert size(Range(0.034, 0.02, 0.05)) == "34 kB (20 to 50)"
    assert time(Range(10, 9.96, 11)) == "10 s (10 to 11)"
    assert count(Range(1204.2, 980.1, 1400)) == "1,204 (980 to 1,400)"


def test_a_point_has_no_brackets() -> None:
    assert size(Range(33, 33, 33)) == "33 MB"
