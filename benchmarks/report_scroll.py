"""How the report's gallery scrolls with thousands of hands, in a real browser (Debian: apt install chromium).

    python -m benchmarks.report_scroll --entries 2000

Writes a page whose pictures are as large as those of real crops and frames, opens it in a headless Chromium, which
paints without a GPU, and scrolls its list from the first to the last entry, a step a frame, then to places at random.
Told are the times from frame to frame, the longest task, and what script, style and layout took of each frame. With
--all the same again with all entries in the page at once, as they would be without the gallery's script.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from simhand.reporting.gallery_page import gallery_section
from simhand.reporting.gallery_pictures import as_text, frame_picture, tile_picture
from simhand.reporting.page import page
from tests.browser import Page, browser_page

STEP_PX = 240  # a frame: as fast as a wheel is turned
JUMPS = 100
_ALL = ("const ROWS_BEYOND = 2;", "const ROWS_BEYOND = 1e9;")
_SCROLL = """
(async () => {{
  const list = document.querySelector(".gallery-list");
  const tasks = [], frames = [];
  new PerformanceObserver((seen) => tasks.push(...seen.getEntries().map((task) => task.duration)))
    .observe({{ type: "longtask", buffered: false }});
  const frame = () => new Promise(requestAnimationFrame);
  const places = {places};
  let before = await frame();
  for (const place of places(list.scrollHeight - list.clientHeight)) {{
    list.scrollTop = place;
    const now = await frame();
    frames.push(now - before);
    before = now;
  }}
  await new Promise((done) => setTimeout(done, 200));
  return {{ frames, tasks, tiles: document.querySelectorAll(".gallery-list .tile").length }};
}})()
"""
_THROUGH = (
    f"(most) => Array.from({{ length: Math.ceil(most / {STEP_PX}) }}, (_, i) => Math.min(most, (i + 1) * {STEP_PX}))"
)
_JUMPING = f"(most) => Array.from({{ length: {JUMPS} }}, (_, i) => most * ((i * 0.618034) % 1))"


def texture(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A picture with as much to compress as a photograph of a hand."""
    image = np.zeros((height, width, 3), np.float32)
    for detail, weight in ((4, 60.0), (16, 40.0), (64, 14.0)):
        noise = generator.normal(0, weight, (detail, detail, 3)).astype(np.float32)
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + 128, 0, 255).astype(np.uint8)


def made_up(entries: int, neighbours: int, framed: int) -> dict[str, Any]:
    """A gallery of one pool: each entry's hands are its own."""
    generator = np.random.default_rng(0)
    crops = [texture(generator, 224, 224) for _ in range(200)]
    hands: list[dict[str, Any]] = []
    frames: list[dict[str, Any]] = []
    for i in range(entries * (1 + neighbours)):
        picture = as_text(tile_picture(np.roll(crops[i % len(crops)], i // len(crops) * 7, axis=1)))
        hand = {
            "source": "made up",
            "video": f"{i // 50}.mp4",
            "time_s": float(i % 50),
            "frame_index": i,
            "side": "left",
        }
        hands.append(hand | {"mirrored": True, "tile": picture, "points": generator.integers(0, 1000, 42).tolist()})
        if i < framed * (1 + neighbours):
            frames.append(
                {"picture": as_text(frame_picture(texture(generator, 720, 1280))), "width": 1280, "height": 720}
            )
            hands[-1] |= {"frame": i, "box": [300, 200, 500, 400], "square": [280, 180, 520, 420]}
            hands[-1]["frame_points"] = generator.integers(300, 500, 42).tolist()
    own = range(1, neighbours + 1)
    queries = [
        [first, [[rank, first + rank, round(float(generator.uniform(0, 2)), 4)] for rank in own]]
        for first in range(0, len(hands), 1 + neighbours)
    ]
    return {"pools": [{"name": "made up", "ranks": list(own), "queries": queries}], "hands": hands, "frames": frames}


def worked_ms(browser: Page) -> list[float]:
    """What the page has spent on script, style and layout so far."""
    browser.call("Performance.enable")
    metrics = {each["name"]: each["value"] for each in browser.call("Performance.getMetrics")["metrics"]}
    return [1e3 * metrics[name] for name in ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")]


def measure(browser: Page, file: Path, title: str) -> None:
    """Opens a page, scrolls it, and prints what that took."""
    browser.problems.clear()
    browser.open(file)
    browser.evaluate("document.querySelector('.gallery-list').scrollIntoView()")
    timing = browser.evaluate(
        "(({domInteractive, loadEventEnd}) => [domInteractive, loadEventEnd])"
        "(performance.getEntriesByType('navigation')[0].toJSON())"
    )
    heap_mb = browser.evaluate("performance.memory.usedJSHeapSize") / 1e6
    print(f"\n{title}: read after {timing[0]:,.0f} ms, ready after {timing[1]:,.0f} ms, {heap_mb:,.0f} MB of script")
    for name, places in (("through", _THROUGH), ("jumping", _JUMPING)):
        before = worked_ms(browser)
        found = browser.evaluate(_SCROLL.format(places=places))
        worked = [(after - own) / len(found["frames"]) for after, own in zip(worked_ms(browser), before, strict=True)]
        median, most = np.percentile(found["frames"], [50, 95])
        print(
            f"  {name}: {len(found['frames']):,} frames, median {median:.1f} ms, 95 % {most:.1f} ms, longest "
            f"{max(found['frames']):.1f} ms; tasks of 50 ms or more: {len(found['tasks'])}, longest "
            f"{max(found['tasks'], default=0):.0f} ms; {found['tiles']:,} tiles in the page;"
            f" of each frame script {worked[0]:.1f} ms, style {worked[1]:.1f} ms, layout {worked[2]:.1f} ms"
        )
    assert browser.problems == [], browser.problems


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=2000, help="hands, each with its similar ones")
    parser.add_argument("--neighbours", type=int, default=4, help="similar hands of each")
    parser.add_argument("--frames", type=int, default=100, help="entries whose frames are in the page")
    parser.add_argument("--all", action="store_true", help="again with all entries in the page at once")
    options = parser.parse_args()
    data = made_up(options.entries, options.neighbours, options.frames)
    tile_kb = np.mean([len(hand["tile"]) for hand in data["hands"]]) / 1e3
    frame_kb = np.mean([len(frame["picture"]) for frame in data["frames"]] or [0]) / 1e3
    text = page("Gallery", "", [gallery_section(data)])
    print(
        f"{options.entries:,} entries, {len(data['hands']):,} hands: {len(text) / 1e6:.1f} MB; a crop {tile_kb:.1f} kB,"
        f" a frame {frame_kb:.1f} kB in base64"
    )
    with tempfile.TemporaryDirectory() as folder, browser_page(Path(folder, "profile")) as browser:
        for title, change in [("as it is", ("", "")), ("all at once", _ALL)][: 1 + options.all]:
            assert change[0] in text
            file = Path(folder, "index.html")
            file.write_text(text.replace(*change) if change[0] else text, encoding="utf-8")
            measure(browser, file, title)


if __name__ == "__main__":
    main()
