"""The gallery in a real browser: what is seen, filtered, clicked, and reached by keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from simhand.reporting.gallery_page import gallery_section
from simhand.reporting.gallery_pictures import as_text, frame_picture, tile_picture
from simhand.reporting.page import page
from tests.browser import Page, browser_page

HANDS, QUERIES, RANKS = 300, 240, (1, 2, 10)


def made_up(framed: int = 40) -> dict[str, Any]:
    """Hands of two sources, each with similar hands at rank r in the distance r / 10 + query / 1000."""
    generator = np.random.default_rng(0)
    hands = []
    for i in range(HANDS):
        tile = as_text(tile_picture(np.full((224, 224, 3), 40 + i % 200, np.uint8)))
        hand = {"source": ("ego", "<exo>")[i % 2], "video": f"folder/<b>{i // 10}.mp4", "time_s": i / 4}
        hand |= {"frame_index": 30 * i, "side": "left", "mirrored": True, "tile": tile}
        hand["points"] = generator.integers(100, 900, 42).tolist()
        if i < framed:
            hand |= {"frame": i % 5, "frame_points": generator.integers(50, 200, 42).tolist()}
            hand |= {"box": [50, 50, 200, 200], "square": [40, 40, 210, 210]}
        hands.append(hand)
    queries = [[i, [[rank, (i + rank) % HANDS, rank / 10 + i / 1000] for rank in RANKS]] for i in range(QUERIES)]
    frames = [
        {"picture": as_text(frame_picture(np.full((480, 640, 3), 50 * i, np.uint8))), "width": 640, "height": 480}
        for i in range(5)
    ]
    pools = [{"name": "<all>", "ranks": list(RANKS), "queries": queries}]
    pools.append({"name": "few", "ranks": [1], "queries": [[0, [[1, 7, 0.5]]]]})
    return {"pools": pools, "hands": hands, "frames": frames}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser_page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gallery") / "index.html"
    path.write_text(page("Hands & <videos>", "", [gallery_section(made_up())]), encoding="utf-8")
    return path


@pytest.fixture
def gallery(browser: Page, file: Path) -> Iterator[Page]:
    """The page anew; at the end nothing went wrong in it, and it asked for nothing."""
    browser.problems.clear()
    browser.open(file)
    yield browser
    assert browser.problems == []


def counted(page: Page) -> str:
    return str(page.evaluate("document.querySelector('#gallery output').value"))


def choose(page: Page, name: str, value: str) -> None:
    """As the mouse or the keyboard does it: the field changes, and tells."""
    field = f"document.querySelector('#gallery form').elements.{name}"
    page.evaluate(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def shown(page: Page, what: str) -> list[str]:
    return list(page.evaluate(f"[...document.querySelectorAll('.gallery-list .tile')].map((tile) => {what})"))


def test_pictures_are_shown_with_their_keypoints(gallery: Page) -> None:
    assert counted(gallery) == "240 of 240 hands, 720 pairs"
    gallery.wait_for("[...document.querySelectorAll('.gallery-list img')].every((image) => image.complete)")
    widths = shown(gallery, "tile.querySelector('img').naturalWidth")
    assert len(widths) > 30
    assert set(widths) == {112}
    assert set(shown(gallery, "tile.querySelectorAll('path').length")) == {6}
    tiles = gallery.evaluate(
        "[...document.querySelectorAll('.tile img')].slice(0, 4).map((image) => image.getBoundingClientRect().top)"
    )
    assert len(set(tiles)) == 1  # a hand and its similar hands stand in one line
    assert shown(gallery, "tile.querySelector('.line').textContent")[:4] == [
        "Hand", "Top-1: 0.100", "Top-2: 0.200", "Top-10: 1.000",
    ]  # fmt: skip
    assert gallery.evaluate("document.querySelector('.tile').title") == "ego: folder/<b>0.mp4 at 0.0 s"


def test_filters_leave_what_fits(gallery: Page) -> None:
    choose(gallery, "rank", "10")
    assert counted(gallery) == "240 of 240 hands, 240 pairs"
    assert set(shown(gallery, "tile.querySelector('.line').textContent.split(':')[0]")) == {"Hand", "Top-10"}
    choose(gallery, "high", "1.0985")
    assert counted(gallery) == "99 of 240 hands, 99 pairs"
    choose(gallery, "low", "1.0005")
    assert counted(gallery) == "98 of 240 hands, 98 pairs"
    choose(gallery, "source", "ego")
    assert counted(gallery) == "49 of 240 hands, 49 pairs"
    choose(gallery, "similar", "<exo>")  # rank 10 of an ego hand is one of ego
    assert counted(gallery) == "0 of 240 hands, 0 pairs"
    assert gallery.evaluate("document.querySelector('.gallery-none').checkVisibility()") is True
    assert gallery.evaluate("document.querySelector('.gallery-list > *').clientHeight") == 0  # nothing to scroll to
    choose(gallery, "rank", "")
    assert counted(gallery) == "0 of 240 hands, 0 pairs"
    choose(gallery, "low", "")
    assert counted(gallery) == "120 of 240 hands, 120 pairs"  # rank 1 alone is of the other source
    gallery.click("#gallery button[type=reset]")
    gallery.wait_for("document.querySelector('#gallery output').value == '240 of 240 hands, 720 pairs'")
    assert gallery.evaluate("document.querySelector('.gallery-none').checkVisibility()") is False


def test_another_pool_and_another_order(gallery: Page) -> None:
    choose(gallery, "order", "far")
    assert shown(gallery, "tile.querySelector('.line').textContent")[3] == "Top-10: 1.239"
    choose(gallery, "pool", "1")
    assert counted(gallery) == "1 of 1 hands, 1 pairs"
    assert len(shown(gallery, "tile")) == 2
    assert gallery.evaluate("document.querySelector('[name=low]').placeholder") == "0.50"
    assert gallery.evaluate("document.querySelector('[name=rank]').length") == 2


def test_only_what_is_in_view_is_in_the_page_and_all_can_be_reached(gallery: Page) -> None:
    seen: set[str] = set()
    most = 0
    at_end = "scrollTop + clientHeight >= scrollHeight - 1"
    while True:
        tiles = shown(gallery, "tile.dataset.entry")
        seen |= set(tiles)
        most = max(most, len(tiles))
        if gallery.evaluate(f"(() => {{ with (document.querySelector('.gallery-list')) return {at_end}; }})()"):
            break
        gallery.evaluate(
            "document.querySelector('.gallery-list').scrollBy(0, 400);"
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
    assert seen == {str(i) for i in range(QUERIES)}
    assert most < 200


def detail(page: Page, what: str) -> Any:
    return page.evaluate(f"(() => {{ const d = document.querySelector('#gallery dialog'); return {what}; }})()")


def test_a_click_shows_the_pair_in_its_frames(gallery: Page) -> None:
    gallery.click("[data-entry='3'][data-pair='1']:not(.query)")
    assert detail(gallery, "d.open") is True
    assert detail(gallery, "d.querySelector('h3').textContent") == "Top-2, distance 0.203"
    assert detail(gallery, "d.querySelector('.place').textContent") == "pair 11 of 720"
    gallery.wait_for("[...document.querySelectorAll('dialog img')].every((image) => image.complete)")
    assert detail(gallery, "[...d.querySelectorAll('img')].map((i) => [i.naturalWidth, i.alt])") == [
        [400, "The hand in its frame"], [400, "The similar hand in its frame"],
    ]  # fmt: skip
    assert detail(gallery, "[...d.querySelectorAll('rect')].map((r) => r.getAttribute('width'))") == ["150", "150"]
    assert detail(gallery, "[...d.querySelectorAll('svg')].map((s) => s.querySelectorAll('path').length)") == [6, 6]
    left, right = detail(gallery, "[...d.querySelectorAll('.picture')].map((p) => p.getBoundingClientRect().toJSON())")
    assert left["top"] == right["top"]
    assert left["width"] / left["height"] == pytest.approx(640 / 480, rel=0.01)
    assert detail(gallery, "d.querySelector('figcaption').innerText").split("\n") == [
        "The hand", "<exo>: folder/<b>0.mp4", "frame 90, at 0.8 s", "left hand, mirrored in the gallery",
    ]  # fmt: skip


def test_a_hand_without_its_frame_is_shown_as_it_was_cut_out(gallery: Page) -> None:
    gallery.evaluate("document.querySelector('.gallery-list').scrollTop = 1e9")
    gallery.wait_for("!!document.querySelector('[data-entry=\"239\"]')")
    gallery.click("[data-entry='239'].query")
    assert detail(gallery, "d.querySelectorAll('rect').length") == 0
    assert detail(gallery, "[...d.querySelectorAll('img')].map((i) => i.alt)") == [
        "The hand, cut out", "The similar hand, cut out",
    ]  # fmt: skip
    assert "without its frame" in detail(gallery, "d.querySelector('figcaption').innerText")
    assert "left hand, shown mirrored" in detail(gallery, "d.querySelector('figcaption').innerText")


def test_keys_move_on_and_back(gallery: Page) -> None:
    def place() -> str:
        return str(detail(gallery, "d.querySelector('.place').textContent"))

    gallery.evaluate("document.querySelector('[data-entry=\"0\"].query').focus()")
    gallery.press("Enter")
    assert place() == "pair 1 of 720"
    gallery.press("ArrowLeft")  # there is none before
    assert place() == "pair 1 of 720"
    for key, expected in (("ArrowRight", 2), ("ArrowDown", 4), ("ArrowDown", 7), ("ArrowRight", 8), ("ArrowUp", 4)):
        gallery.press(key)
        assert place() == f"pair {expected} of 720"
    gallery.press("ArrowLeft")
    assert place() == "pair 3 of 720"
    gallery.evaluate("document.querySelector('[data-go=\"-1\"]').focus()")
    for expected in (2, 1, 1):
        gallery.press("ArrowLeft")
        assert place() == f"pair {expected} of 720"
    assert detail(gallery, "d.querySelector('[data-go]').ariaDisabled") == "true"
    for expected in (2, 3):  # the button of which nothing is left does not keep the keys
        gallery.press("ArrowRight")
        assert place() == f"pair {expected} of 720"
    gallery.press("Escape")
    assert detail(gallery, "d.open") is False
    gallery.wait_for("document.activeElement.dataset.pair == '2'")
    assert gallery.evaluate("document.activeElement.dataset.entry") == "0"
    gallery.press("Tab")
    assert gallery.evaluate("document.activeElement.dataset.entry") == "1"
    for _ in range(6):
        for _ in range(10):
            gallery.press("Tab")
        gallery.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    gallery.wait_for("Number(document.activeElement.dataset.entry) > 13")


def test_the_tile_of_the_last_pair_is_in_view_when_its_frames_are_closed(gallery: Page) -> None:
    gallery.click("[data-entry='0'].query")
    for _ in range(60):
        gallery.press("ArrowDown")
    gallery.click("dialog .close")
    gallery.wait_for("document.activeElement.dataset.entry == '60'")
    box, window = gallery.evaluate(
        "[document.activeElement, document.querySelector('.gallery-list')]"
        ".map((element) => element.getBoundingClientRect().toJSON())"
    )
    assert window["top"] <= box["top"] <= box["bottom"] <= window["bottom"]


@pytest.mark.parametrize("width", [1400, 800, 420])
def test_nothing_is_cut_off_at_any_width(gallery: Page, width: int) -> None:
    gallery.resize(width, 900)
    gallery.wait_for(f"window.innerWidth == {width}")
    gallery.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert gallery.evaluate("document.documentElement.scrollWidth") <= width
    cut = (
        "[...document.querySelectorAll('.gallery-card')].filter((card) => card.scrollHeight > card.clientHeight + 1"
        " || card.scrollWidth > card.clientWidth + 1).length"
    )
    assert gallery.evaluate(cut) == 0


def test_a_screenshot_shows_hands(gallery: Page, tmp_path: Path) -> None:
    gallery.wait_for("[...document.querySelectorAll('.gallery-list img')].every((image) => image.complete)")
    gallery.screenshot(tmp_path / "page.png")
    image = cv2.imread(str(tmp_path / "page.png"))
    assert image is not None
    assert image.shape == (900, 1400, 3)
    colours = image.reshape(-1, 3).astype(int)
    accent = (np.abs(colours - [178, 114, 0]).max(axis=1) < 4).sum()  # BGR of the frames around queries
    assert accent > 3000
