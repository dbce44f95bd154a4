from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.hands.selection import READ, unwanted
from simhand.hands.settings import ContactState, SelectionSettings
from simhand.tables import CONTACT_STATES, DROPPED, HANDS
from tests.hands.made_up import hand


def reasons(hands: list[dict], selection: SelectionSettings) -> list[str]:
    return unwanted(pa.Table.from_pylist(hands, HANDS).select(READ), selection).tolist()


def test_the_states_of_contact_are_those_of_the_table() -> None:
    assert get_args(ContactState) == CONTACT_STATES


def test_why_hands_are_not_wanted_by_hand() -> None:
    selection = SelectionSettings(contact=("portable", "none"), min_score=0.9, min_box_px=30, max_box_px=50)
    hands = {
        "held": (hand("a", score=0.9, contact="portable", box=(0, 0, 10, 30)), ""),  # limits are wanted, as float32 too
        "free": (hand("b", score=1.0, contact="none", box=(5, 5, 55, 15)), ""),
        "doubtful": (hand("c", score=0.89, contact="other", box=(0, 0, 5, 5)), "score"),  # the first reason of three
        "small": (hand("d", score=0.95, contact="self", box=(0, 0, 29.9, 29.9)), "size"),
        "large": (hand("e", score=0.95, contact="none", box=(0, 0, 10, 50.1)), "size"),
        "on a table": (hand("f", score=0.95, contact="stationary", box=(0, 0, 40, 40)), "contact"),
        "unknown": (hand("g", score=0.95, contact=None, box=(0, 0, 40, 40)), "contact"),
    }
    expected = {name: why for name, (_, why) in hands.items()}
    assert dict(zip(hands, reasons([row for row, _ in hands.values()], selection), strict=True)) == expected


def test_by_default_all_hands_are_wanted_whether_contact_is_known_or_not() -> None:
    hands = [hand("a", contact=state, score=0.0, box=(7, 7, 7, 7)) for state in (None, *CONTACT_STATES)]
    assert reasons(hands, SelectionSettings()) == [""] * 6


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_passes(strange: float) -> None:
    boxes = [tuple(strange if i == place else 20.0 * (i > 1) for i in range(4)) for place in range(4)]
    hands = [hand("a", score=strange), *(hand("b", box=box) for box in boxes), hand("c", box=(strange,) * 4)]
    assert reasons(hands, SelectionSettings()) == ["score", *["size"] * 5]


def test_of_no_hands_none_is_unwanted() -> None:
    found = unwanted(HANDS.empty_table(), SelectionSettings(contact=("self",), max_box_px=3))
    assert (found.shape, found.dtype) == ((0,), np.dtype(object))


def allowed(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, width=32)


scores = st.one_of(allowed(0, 1), st.just(math.nan))
corners = st.tuples(*[st.one_of(allowed(-8, 8), st.just(math.nan))] * 4)
settings = st.builds(
    SelectionSettings,
    contact=st.lists(st.sampled_from(CONTACT_STATES), unique=True, max_size=3).map(tuple),
    min_score=allowed(0, 1),
    min_box_px=allowed(0, 4),
    max_box_px=st.one_of(st.none(), allowed(4, 16)),
)


@given(st.lists(st.tuples(scores, corners, st.sampled_from([None, *CONTACT_STATES]))), settings)
def test_each_hand_is_judged_alone(found: list[tuple], selection: SelectionSettings) -> None:
    hands = [hand("h", score=score, box=box, contact=contact) for score, box, contact in found]
    assert reasons(hands, selection) == [why(*one, selection) for one in found]


def why(score: float, box: tuple[float, ...], contact: str | None, selection: SelectionSettings) -> str:
    """The same, a hand at a time."""
    x1, y1, x2, y2 = box
    widths = [float(np.float32(x2) - np.float32(x1)), float(np.float32(y2) - np.float32(y1))]
    most = math.inf if selection.max_box_px is None else selection.max_box_px
    reasons = {
        "score": not score >= selection.min_score,
        "size": any(map(math.isnan, widths)) or not selection.min_box_px <= max(widths) <= most,
        "contact": bool(selection.contact) and contact not in selection.contact,
    }
    return next((reason for reason in DROPPED if reasons.get(reason)), "")
