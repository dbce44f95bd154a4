"""A headless Chromium, driven through a pipe by the Chrome DevTools Protocol: no driver, no port, no network.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

_FLAGS = (
    "--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars=0",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
_ASKED = "SIMHAND_CHROMIUM"  # names the program; then tests fail where it is not there, instead of being skipped
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT_S = 120.0
_LOCAL = ("file:", "data:", "blob:", "about:")


def chromium() -> str:
    """The program; the test is skipped where there is none."""
    asked = os.environ.get(_ASKED)
    found = shutil.which(asked) if asked else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None and asked:
        pytest.fail(f"{_ASKED} names no program: {asked}")
    if found is None:
        pytest.skip(f"no Chromium here (apt install chromium, or set {_ASKED})")
    return found


class Page:
    """One page. `problems` gathers what goes wrong in it: errors, warnings, and requests beyond this machine."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from, self._buffer = to_browser, from_browser, b""
        self._number, self._session = 0, ""
        self.problems: list[str] = []
        self._events: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, (method, answer)
        return dict(answer["result"])

    def open(self, path: Path, width: int = 1400, height: int = 900) -> None:
        """Shows a file, and waits until it is loaded."""
        self.resize(width, height)
        self._events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while "Page.loadEventFired" not in self._events:
            self._note(self._next())

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Its value, once it is true."""
        end = time.monotonic() + _TIMEOUT_S
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end, f"still false: {expression}"
            time.sleep(0.02)
        return value

    def press(self, key: str) -> None:
        """A key of the keyboard, by its name in the DOM."""
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Escape": 27, "Enter": 13, "Tab": 9}
        text = {"text": "\r"} if key == "Enter" else {}
        shared = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", **shared, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def click(self, selector: str) -> None:
        """The mouse on the middle of an element, scrolled into view."""
        x, y = self.evaluate(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            " found.scrollIntoView({block: 'center'}); const box = found.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """What is seen, or the page from top to bottom, as a PNG."""
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], _TIMEOUT_S)
            assert ready, "Chromium does not answer"
            part = os.read(self._from, 1 << 20)
            assert part, "Chromium has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        method, values = event.get("method", ""), event.get("params", {})
        self._events.append(method)
        if method == "Runtime.exceptionThrown":
            self.problems.append(str(values["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            self.problems.append(str([each.get("value") for each in values["args"]]))
        elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{values['entry']['text']} {values['entry'].get('url', '')[:200]}")
        elif method == "Network.requestWillBeSent" and not values["request"]["url"].startswith(_LOCAL):
            self.problems.append(f"request: {values['request']['url'][:200]}")


@contextmanager
def browser_page(profile: Path) -> Iterator[Page]:
    """A page of a Chromium of its own, which ends with the block.

    Args:
        profile: an empty folder for it to write to.
    """
    program = chromium()
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    pipes = f'exec "$@" 3<&{to_read} 4>&{from_write}'  # the descriptors that Chromium looks at
    process = subprocess.Popen(
        ["bash", "-c", pipes, "bash", program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(to_read, from_write),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )
    os.close(to_read)
    os.close(from_write)
    try:
        yield Page(to_write, from_read)
    finally:
        with suppress(OSError):
            os.write(to_write, b'{"id": 0, "method": "Browser.close"}\0')
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(to_write)
        os.close(from_read)
