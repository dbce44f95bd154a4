"""What all tests share: where the recordings and the real data lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import psutil
import pytest
import torch
from hypothesis import settings
from numpy.lib.npyio import NpzFile
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from simhand.hands.model import build_task_file

ROOT = Path(__file__).parent.parent

# An example has no time limit: the machine may be busy.
settings.register_profile("simhand", deadline=None)
settings.load_profile("simhand")

_LONGEST = ["slurm", "real", "workflow"]  # folders, in the order in which they begin


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, the folders whose tests take longest begin."""
    order = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


class ByFolder(LoadScopeScheduling):
    """With several workers, a folder's tests stay together, which share what takes long to make.

    Those of workflow stay together by file: what they share is made once for all workers.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = path.split("/")[1]
        return path if folder == "workflow" else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """In the order of the tests, not of how many they are."""
    config.option.loadscopereorder = False
    return ByFolder(config, log)


@pytest.fixture(scope="session")
def recording_file() -> Callable[[str], Path]:
    """Files recorded from the official code, by name, from the folder SIMHAND_PARITY (default: in SIMHAND_SHARED).

    Where neither is set or there, those that are shipped with the tests are taken. A test of another one is skipped.
    """
    shared = Path(os.environ.get("SIMHAND_SHARED", ROOT.parent / "shared"))
    folders = [shared / "reference" / "parity", ROOT / "tests" / "parity" / "recorded"]
    if "SIMHAND_PARITY" in os.environ:
        folders = [Path(os.environ["SIMHAND_PARITY"])]
        if not folders[0].is_dir():
            pytest.fail(f"SIMHAND_PARITY names no folder: {folders[0]}")

    def find(name: str) -> Path:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
        if "SIMHAND_PARITY" in os.environ:
            pytest.fail(f"no {name} in SIMHAND_PARITY, {folders[0]}")
        pytest.skip(f"no {name} in {folders[0]} (set SIMHAND_PARITY)")

    return find


@pytest.fixture(scope="session")
def recording(recording_file: Callable[[str], Path]) -> Callable[[str], NpzFile]:
    """Numbers recorded from the official code, by name (`recording_file`)."""
    return lambda name: np.load(recording_file(f"{name}.npz"), allow_pickle=False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data named by SIMHAND_SHARED; a test that needs it is skipped where it is absent."""
    folder = Path(os.environ.get("SIMHAND_SHARED", ROOT.parent / "shared"))
    if not (folder / "videos" / "manifest.csv").is_file():
        pytest.skip(f"no real data in {folder} (set SIMHAND_SHARED)")
    return folder


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Threads of PyTorch that wait for each other are many times slower where something else runs on their cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class WriteVideo(Protocol):
    def __call__(self, path: Path, times_s: Sequence[float], *, codec: str = "h264", shade: int = 0) -> Path: ...


@pytest.fixture(scope="session")
def write_video() -> WriteVideo:
    """Writes a real video whose frame i, shown from times_s[i], has the grey value 10 * i + shade (modulo 250)."""

    def write(path: Path, times_s: Sequence[float], *, codec: str = "h264", shade: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=30, options={"crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            for i, time_s in enumerate(times_s):
                frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), (10 * i + shade) % 250, np.uint8), "rgb24")
                frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture
def new_children() -> Callable[[], list[psutil.Process]]:
    """Tells which processes this one has started since the test began (multiprocessing keeps one of its own)."""
    before = set(psutil.Process().children(recursive=True))
    return lambda: [child for child in psutil.Process().children(recursive=True) if child not in before]


@pytest.fixture(scope="session")
def hand_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MediaPipe's hand model, made from the installed package."""
    path = tmp_path_factory.mktemp("model") / "hand_landmarker.task"
    build_task_file(path)
    return path
