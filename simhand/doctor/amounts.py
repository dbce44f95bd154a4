"""Amounts in words, in units that suit them."""

from __future__ import annotations

from simhand.doctor.bootstrap import Range

_SECONDS = ((100 * 60.0, "h", 3600.0), (100.0, "min", 60.0), (0.0, "s", 1.0))
_MEGABYTES = ((1e6, "TB", 1e6), (1e3, "GB", 1e3), (1.0, "MB", 1.0), (0.0, "kB", 1e-3))


def exactly(amount: float) -> Range:
    """A range that is a point."""
    return Range(amount, amount, amount)


def time(seconds: Range) -> str:
    """Such as `12 min (10 to 15)`."""
    return _in_units(seconds, _SECONDS)


def size(megabytes: Range) -> str:
    """Such as `1.2 GB (1.0 to 1.5)`."""
    return _in_units(megabytes, _MEGABYTES)


def count(number: Range) -> str:
    """Such as `1,204 (980 to 1,400)`."""
    return f"{number.expected:,.0f}{_brackets(*(f'{value:,.0f}' for value in number))}"


def _in_units(amount: Range, units: tuple[tuple[float, str, float], ...]) -> str:
    _, unit, step = next(one for one in units if amount.expected >= one[0])
    expected, low, high = (_short(value / step) for value in amount)
    return f"{expected} {unit}{_brackets(expected, low, high)}"


def _short(number: float) -> str:
    if number < 0.05:
        return "0"
    return f"{number:,.0f}" if number >= 9.95 else f"{number:.1f}"


def _brackets(expected: str, low: str, high: str) -> str:
    """Nothing where the range is a point."""
    if low == high == expected:
        return ""
    return f" ({low} to {'unknown' if high == 'inf' else high})"
