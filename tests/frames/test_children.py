from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from simhand.frames.children import Finished, run_in_order


def run(scripts: list[str], folder: Path, *, workers: int = 2, time_limit_s: float = 60.0) -> list[tuple]:
    return [
        (done.output.seek(0) or done.output.read(), done.code, done.late, done.last_words)
        for done in run_in_order(
            len(scripts), lambda i: [sys.executable, "-S", "-c", scripts[i]], workers, time_limit_s, folder
        )
    ]


def test_results_come_in_order_whatever_finishes_first(tmp_path: Path) -> None:
    scripts = [f"import time; time.sleep({0.5 if i == 0 else 0}); print({i})" for i in range(7)]
    assert run(scripts, tmp_path, workers=3) == [(f"{i}\n".encode(), 0, False, "") for i in range(7)]
    assert list(tmp_path.iterdir()) == []


def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    scripts = [
        "print('half'); raise SystemExit('no such thing')",
        "import os; os.write(1, b'cut'); os.abort()",
        "import time; print('x', flush=True); time.sleep(60)",
        "import os, time; os.close(2); time.sleep(60)",
        "import sys; sys.stderr.write('word ' * 100_000)",
        "",
    ]
    half, cut, late, mute, noisy, good = run(scripts, tmp_path, workers=6, time_limit_s=6.0)
    assert half == (b"half\n", 1, False, "no such thing")
    assert cut == (b"cut", -6, False, "")
    assert late == (b"x\n", -9, True, "")
    assert mute == (b"", -9, True, "")
    assert noisy[:3] == (b"", 0, False)
    assert len(noisy[3]) == 300
    assert good == (b"", 0, False, "")


def test_finished_ones_wait_only_so_many(tmp_path: Path) -> None:
    scripts = [f"open({str(tmp_path / str(i))!r}, 'w')" for i in range(40)]
    scripts[0] += "; import time; time.sleep(2)"
    results = run_in_order(40, lambda i: [sys.executable, "-S", "-c", scripts[i]], 2, 60.0, tmp_path)
    next(results)
    assert len(list(tmp_path.iterdir())) <= 2 * 5
    assert sum(1 for _ in results) == 39
    assert len(list(tmp_path.iterdir())) == 40


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_an_error_ends_the_others(
    tmp_path: Path, failure: type[BaseException], new_children: Callable[[], list[psutil.Process]]
) -> None:
    scripts = ["", *["import time; time.sleep(60)"] * 3]
    started = time.monotonic()

    def take(results: list[Finished]) -> None:
        for done in run_in_order(4, lambda i: [sys.executable, "-S", "-c", scripts[i]], 4, 60.0, tmp_path):
            results.append(done)
            raise failure

    with pytest.raises(failure):
        take([])
    assert time.monotonic() - started < 20
    assert new_children() == []
