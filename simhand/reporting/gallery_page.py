"""The gallery as a section of the page: its controls, its data as JSON, and its script."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from simhand.reporting.page import Section
from simhand.reporting.page_files import page_file

_TEXT = (
    "Hands of each pool (framed), of as many videos as there are, with some of their similar hands by rank, mined from "
    "other videos or as annotated, and the distance. Left hands are mirrored; keypoints as found. A click shows the "
    "two hands larger, and in their frames"
)
_KEYS = "Right and left: the next pair and the one before. Down and up: the next hand and the one before. Esc: back."
_ORDERS = {"": "of the pool", "near": "nearest first", "far": "furthest first"}

_LIST = (
    '<div class="gallery-list" role="list" tabindex="0" aria-label="Hands with their similar hands"><div></div></div>'
    '<p class="gallery-none" hidden>No pair is left by these filters.</p>'
)
_NO_SCRIPT = (
    "<noscript><p>The gallery needs JavaScript. The sheets of neighbours beside the data report, "
    "neighbours_POOL.png, do not.</p></noscript>\n"
)


def gallery_section(data: Mapping[str, Any]) -> Section:
    """The gallery of `simhand.reporting.gallery`, or a sentence where there is nothing to show."""
    heading = "Gallery of similar hands"
    if not any(pool["queries"] for pool in data["pools"]):
        return Section(heading, "None: no hand of a pool has a similar hand.")
    html = (
        f'<div class="gallery" id="gallery"><template><svg></svg></template>{_form(data)}'
        f'<p><output aria-live="polite"></output></p>{_LIST}{_dialog()}</div>\n{_NO_SCRIPT}'
        f'<script type="application/json" id="gallery-data">{embedded_json(data)}</script>\n'
        f"<script>\n{page_file('gallery.js')}</script>\n"
    )
    return Section(heading, _TEXT + _framed(data), html=html)


def _framed(data: Mapping[str, Any]) -> str:
    """Of how many hands the frames are there, where they are not of all."""
    queries = [data["hands"][query[0]] for pool in data["pools"] for query in pool["queries"]]
    framed = sum("frame" in hand for hand in queries)
    if framed == len(queries):
        return "."
    return f", which are there for {framed:,} of {len(queries):,} (report.gallery_frames)."


def embedded_json(value: Any) -> str:
    """JSON that may stand in a page: nothing in it ends its element or begins another."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _form(data: Mapping[str, Any]) -> str:
    sources = {"": "all", **{name: name for name in dict.fromkeys(hand["source"] for hand in data["hands"])}}
    pools = {str(place): pool["name"] for place, pool in enumerate(data["pools"])}
    several = len(sources) > 2
    return (
        "<form>"
        + _select("pool", "Pool", pools, shown=len(pools) > 1)
        + _select("source", "Source of the hand", sources, shown=several)
        + _select("similar", "Source of the similar hand", sources, shown=several)
        + _select("rank", "Rank", {"": "all"})
        + f'<span class="range">{_number("low", "Distance from")}{_number("high", "to")}</span>'
        + _select("order", "Order", _ORDERS)
        + '<label class="check"><input type="checkbox" name="keypoints" checked autocomplete="off">keypoints</label>'
        '<button type="reset" class="plain">Reset</button></form>'
    )


def _select(name: str, label: str, options: Mapping[str, str], *, shown: bool = True) -> str:
    items = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    hidden = "" if shown else ' style="display: none"'
    return f'<label{hidden}>{escape(label)}<select name="{name}" autocomplete="off">{items}</select></label>'


def _number(name: str, label: str) -> str:
    return f'<label>{escape(label)}<input type="number" name="{name}" min="0" step="any" autocomplete="off"></label>'


def _dialog() -> str:
    buttons: Sequence[tuple[str, str]] = (('data-go="-1"', "Previous"), ('data-go="1"', "Next"), ("", "Close"))
    shown = "".join(
        f'<button type="button" class="plain{"" if action else " close"}" {action}>{text}</button>'
        for action, text in buttons
    )
    return (
        '<dialog aria-label="A pair of similar hands"><header><h3></h3><span class="place"></span>'
        f'{shown}</header><div class="pair"></div><p class="keys">{_KEYS}</p></dialog>'
    )
