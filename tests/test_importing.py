"""Importing simhand does nothing but define: whoever imports a module gets its names and no surprise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = """
import json, os, pkgutil, sys
import simhand
NAMES = sorted(found.name for found in pkgutil.walk_packages(simhand.__path__, "simhand."))
"""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in an empty folder that is also the home, so that whatever is written shows."""
    home = folder / "home"
    home.mkdir()
    caches = {"MPLCONFIGDIR": str(folder / "matplotlib")}  # its own list of fonts
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **caches}
    environment.pop("XDG_CACHE_HOME", None)
    command = [sys.executable, "-c", MODULES + code]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def test_importing_all_of_it_has_no_side_effect(tmp_path: Path) -> None:
    code = """
import importlib, logging, random, signal, threading
import psutil
def state():
    handlers = [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    return [threading.active_count(), len(psutil.Process().children()), handlers, logging.root.handlers, os.getcwd(),
            sys.argv, hash(random.getstate())]
before = state()
for name in NAMES:
    importlib.import_module(name)
print(json.dumps([len(NAMES), before == state()]))
"""
    finished = python(code, tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    count, unchanged = json.loads(finished.stdout)  # and nothing else was printed
    assert count == len(list((ROOT / "simhand").rglob("*.py"))) - 1  # but simhand/__init__.py
    assert unchanged
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.slow
def test_each_module_can_be_imported_first(tmp_path: Path) -> None:
    """No module needs another one to have been imported before it. Libraries are there already, for speed."""
    code = """
import importlib
for name in NAMES:
    importlib.import_module(name)
for name in [name for name in sys.modules if name.split(".")[0] == "simhand"]:
    del sys.modules[name]
failed = []
for name in NAMES:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(f"{name}: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        failed.append(name)
print(json.dumps(failed))
"""
    finished = python(code, tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == [], finished.stderr


def test_the_help_does_not_wait_for_heavy_libraries(tmp_path: Path) -> None:
    code = """
from simhand.__main__ import main
try:
    main(["--help"])
except SystemExit:
    pass
heavy = {"torch", "torchvision", "numpy", "pyarrow", "cv2", "mediapipe", "pandas", "matplotlib", "snakemake", "sklearn"}
print(json.dumps(sorted(heavy & set(sys.modules))), file=sys.stderr)
"""
    finished = python(code, tmp_path)
    assert "usage: simhand" in finished.stdout
    assert json.loads(finished.stderr) == []
