"""Files as they are found in the wild: each costs its own row, while its neighbours in the shard are whole."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from simhand.files import read_parquet
from simhand.frames.settings import SamplingSettings
from simhand.tables import VIDEO_STATUS
from tests.conftest import ROOT
from tests.frames.numbered import (
    EACH_SECOND,
    at_thirty,
    numbers,
    picture,
    sample,
    sample_among_neighbours,
    write_numbered,
)


def expect(path: Path, status: str, reason: str, frames: list[int]) -> list[dict]:
    rows, told = sample_among_neighbours(path)
    assert (told["status"], numbers(rows)) == (status, frames)
    assert reason in told["reason"]
    assert bool(told["reason"]) == (status != "ok")
    assert len(told["reason"]) < 150
    return rows


def test_a_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "whole.mkv", at_thirty(300), options={"g": "30", "crf": "1"})
    path = tmp_path / "truncated.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    rows, status = sample_among_neighbours(path)
    assert status["status"] == "corrupt"
    assert status["reason"].startswith("the video ends after ")
    assert status["reason"].endswith(" s of 10.0 s")
    assert numbers(rows) == [30 * i for i in range(len(rows))]
    assert 2 < len(rows) < 9


def test_a_truncated_file_whose_index_comes_first_gives_what_is_there(tmp_path: Path) -> None:
    whole = write_numbered(
        tmp_path / "w.mp4", at_thirty(300), options={"g": "30", "crf": "1"}, muxing={"movflags": "+faststart"}
    )
    path = tmp_path / "truncated.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    rows, status = sample_among_neighbours(path)
    assert status["status"] == "corrupt"
    assert numbers(rows) == [30 * i for i in range(len(rows))]
    assert 2 < len(rows) < 10


def test_an_mp4_whose_index_is_missing_gives_nothing(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "whole.mp4", at_thirty(100))
    path = tmp_path / "no moov.mp4"
    data = whole.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    expect(path, "corrupt", "Invalid data", [])


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_without_an_index_seeking_is_not_needed(tmp_path: Path, suffix: str) -> None:
    path = write_numbered(tmp_path / "whole.mkv", at_thirty(100), options={"g": "25"})
    if suffix == ".mkv":
        data = path.read_bytes()
        cues = data.rindex(bytes.fromhex("1c53bb6b"))  # the element ID of the cues, which FFmpeg writes at the end
        path = tmp_path / "no cues.mkv"
        path.write_bytes(data[:cues])
    else:
        path = write_numbered(tmp_path / "stream.ts", at_thirty(100), options={"g": "25"})
    expect(path, "ok", "", [0, 30, 60, 90])


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "zero.mp4").touch()
    expect(tmp_path / "zero.mp4", "corrupt", "0 bytes", [])


def test_text(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video\n" * 1000)
    expect(tmp_path / "text.mp4", "corrupt", "Invalid data", [])


def test_a_playlist_leads_nowhere_else(tmp_path: Path) -> None:
    other = write_numbered(tmp_path / "other.mp4", at_thirty(40))
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{other}\n#EXT-X-ENDLIST\n")
    rows, status = sample_among_neighbours(tmp_path / "list.mp4")
    assert (status["status"], rows) == ("corrupt", [])


def test_audio_only(tmp_path: Path) -> None:
    path = tmp_path / "audio.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for i in range(50):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, i * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    expect(path, "corrupt", "no video stream", [])


def test_one_frame(tmp_path: Path) -> None:
    rows = expect(write_numbered(tmp_path / "one.mp4", [0]), "ok", "", [0])
    assert (rows[0]["frame_index"], rows[0]["timestamp_s"]) == (0, 0.0)


def test_a_video_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "none.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.start_encoding()
    expect(path, "corrupt", "End of file", [])


def test_a_stream_without_any_keyframe_gives_no_made_up_picture(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "whole.ts", at_thirty(90), options={"g": "1000", "sc_threshold": "0"})
    path = tmp_path / "late.ts"
    path.write_bytes(whole.read_bytes()[188 * 30 :])
    expect(path, "corrupt", "Invalid data", [])


@pytest.mark.parametrize("name", ["variable.mp4", "variable.mkv", "variable.webm"])
def test_a_variable_frame_rate_is_sampled_by_time(tmp_path: Path, name: str) -> None:
    times = [0, 0.1, 0.9, 2.05, 2.1, 2.2, 2.3, 5.0, 5.2]
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    rows = expect(write_numbered(tmp_path / name, times, codec=codec), "ok", "", [0, 2, 3 + 3, 7])
    assert [row["frame_index"] for row in rows] == [0, 2, 6, 7]
    assert [row["timestamp_s"] for row in rows] == pytest.approx([0, 0.9, 2.3, 5.0], abs=1e-3)


@pytest.mark.parametrize("size", [(97, 65), (33, 17), (2, 2), (641, 3)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_numbered(tmp_path / "odd.mkv", at_thirty(40), size=size, pixels="yuv444p")
    rows, status = sample_among_neighbours(path)
    assert status["status"] == "ok"
    for row, number in zip(rows, [0, 30], strict=True):
        assert row["image"].shape == (size[1], size[0], 3)
        assert abs(row["image"].astype(int) - picture(number, *size)).mean() < 6


@pytest.mark.parametrize("name", ["later.ts", "later.mkv", "later.mp4"])
def test_time_is_counted_from_the_first_frame(tmp_path: Path, name: str) -> None:
    path = write_numbered(tmp_path / name, [3700.5 + time for time in at_thirty(70)])
    rows = expect(path, "ok", "", [0, 30, 60])
    assert [row["timestamp_s"] for row in rows] == pytest.approx([0, 1, 2], abs=2e-3)


def test_spaces_and_letters_of_every_kind_in_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "my videos" / "手 & ręka"
    expect(write_numbered(folder / "10:30 'ä' 100%.mp4", at_thirty(40)), "ok", "", [0, 30])


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_numbered(tmp_path / "tcp:x.mp4", at_thirty(40))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    rows, statuses = sample(tmp_path, [Path("tcp:x.mp4")], EACH_SECOND)
    assert numbers(rows["tcp:x.mp4"]) == [0, 30]
    assert statuses["tcp:x.mp4"]["status"] == "ok"


def test_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to("nowhere")
    expect(tmp_path / "link.mp4", "unreadable", "No such file or directory", [])


def test_a_link_to_a_video(tmp_path: Path) -> None:
    write_numbered(tmp_path / "real" / "a.mp4", at_thirty(40))
    (tmp_path / "link.mp4").symlink_to("real/a.mp4")
    expect(tmp_path / "link.mp4", "ok", "", [0, 30])


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    expect(tmp_path / "pipe.mp4", "unreadable", "not a file", [])


def test_a_folder_named_like_a_video(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    expect(tmp_path / "folder.mp4", "unreadable", "not a file", [])


_WITHOUT_PRIVILEGE = """
import ctypes, sys
from pathlib import Path
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: what lets root read every file
    if ctypes.CDLL(None).prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP: gone in the processes that this one starts
        sys.exit(77)
from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
folder = Path(sys.argv[1])
sample_shard(folder / "list.tsv", folder / "frames.arrow", folder / "status.parquet", SamplingSettings(fps=1))
"""


def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "secret.mp4", at_thirty(40))
    path.chmod(0)
    if os.geteuid() != 0:
        expect(path, "unreadable", "Permission denied", [])
        return
    expect(path, "ok", "", [0, 30])  # root may read everything
    command = [sys.executable, "-c", _WITHOUT_PRIVILEGE, str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if ended.returncode == 77:
        pytest.skip("this root cannot give up its privileges")
    assert ended.returncode == 0, ended.stderr
    statuses = read_parquet(tmp_path / "status.parquet", VIDEO_STATUS).to_pylist()
    assert [row["status"] for row in statuses] == ["ok", "unreadable", "ok"]
    assert statuses[1]["reason"] == "Permission denied"


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Does something again and again, in a thread, while the block runs."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(0.01):
            do()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that takes seconds to decode: pictures without any order, again and again."""
    path = tmp_path_factory.mktemp("long") / "long.mkv"
    noise = np.random.default_rng(0).integers(0, 255, (4, 480, 640, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "qp": "24", "g": "1000"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        packets = []
        for i in range(30):
            frame = av.VideoFrame.from_ndarray(noise[i % 4], "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 30)
            packets += stream.encode(frame)
        packets += stream.encode()
        contents = [(bytes(packet), packet.is_keyframe) for packet in packets]
        for i in range(900):
            packet = av.Packet(contents[i % 30][0])
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 30), contents[i % 30][1]
            packet.pts = packet.dts = i
            container.mux(packet)
    return path


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, long_video: Path) -> None:
    path = tmp_path / "grows.mkv"
    shutil.copy(long_video, path)

    def grow() -> None:
        with path.open("ab") as file:
            file.write(bytes(100))

    with meanwhile(grow):
        rows, status = sample_among_neighbours(path)
    assert (status["status"], rows) == ("changed", [])
    assert status["reason"].startswith("written to while it was read")


def test_a_file_that_is_removed_while_it_is_read(tmp_path: Path, long_video: Path) -> None:
    path = tmp_path / "vanishes.mkv"
    shutil.copy(long_video, path)
    remover = threading.Timer(1.5, path.unlink)
    remover.start()
    rows, statuses = sample(tmp_path, [path], SamplingSettings(fps=30))
    remover.join()
    assert (statuses[path.name]["status"], rows[path.name]) == ("changed", [])
    assert statuses[path.name]["reason"] == "removed while it was read"


def test_a_video_that_takes_too_long_is_given_up(tmp_path: Path, long_video: Path) -> None:
    path = tmp_path / "long.mkv"
    path.symlink_to(long_video)
    good = write_numbered(tmp_path / "good.mp4", at_thirty(10))
    started = time.monotonic()
    frames, statuses = sample(tmp_path, [path, good], SamplingSettings(fps=30, time_limit_s=2))
    assert time.monotonic() - started < 60
    rows, status = frames["long.mkv"], statuses["long.mkv"]
    assert (status["status"], status["reason"]) == ("timeout", "not decoded within 2 s")
    assert (statuses["good.mp4"]["status"], numbers(frames["good.mp4"])) == ("ok", list(range(10)))
    assert [row["frame_index"] for row in rows] == list(range(len(rows)))  # what it had by then
    assert 0 < len(rows) < 900


def test_a_video_that_wants_too_much_memory_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "huge.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 8000, 8000, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.full((12000, 8000), 90, np.uint8), "yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 30)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    rows, status = sample_among_neighbours(path, SamplingSettings(fps=1, memory_limit_mb=400))
    assert (status["status"], rows) == ("memory", [])
    assert status["reason"] == "decoding wants more than 400 MB, or than there is"
    rows, status = sample_among_neighbours(path)
    assert status["status"] == "ok"
    assert rows[0]["image"].shape == (8000, 8000, 3)


@pytest.mark.parametrize(("name", "damaged"), [("a.mp4", range(140, 160)), ("b.mkv", range(140, 160))])
def test_frames_before_and_after_a_damage_are_kept(tmp_path: Path, name: str, damaged: range) -> None:
    options = {"g": "30", "bf": "2", "crf": "1", "sc_threshold": "0"}
    path = write_numbered(tmp_path / name, at_thirty(300), options=options)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    chance = random.Random(0)
    start = 0
    for i, packet in enumerate(packets):
        start = data.index(bytes(packet), start)
        if i in damaged:
            data[start + 4 : start + packet.size] = chance.randbytes(packet.size - 4)
        start += packet.size
    path.write_bytes(data)
    rows, status = sample_among_neighbours(path)
    assert status["status"] == "corrupt"
    assert " at 4." in status["reason"] or " at 5." in status["reason"]
    found = numbers(rows)
    assert found == [row["frame_index"] for row in rows]  # no picture is made up from damaged ones
    assert found[:5] == [0, 30, 60, 90, 120]
    assert 130 < found[5] < 140  # the last one before the damage stays on display
    assert found[6:] == [180, 210, 240, 270]  # from the next keyframe on


def test_a_decoder_that_crashes_costs_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the same name in front of PyAV ends the process where a video of this name is opened."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "if any('crash.mp4' in argument for argument in sys.orig_argv): os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    path = write_numbered(tmp_path / "crash.mp4", at_thirty(40))
    expect(path, "corrupt", "its decoder crashed (SIGSEGV)", [])
