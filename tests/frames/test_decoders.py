"""What is decoded, and that no short cut changes a picture."""

from __future__ import annotations

import gc
import os
from math import ceil
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simhand.frames import pyav_decoder
from simhand.frames.packets import PacketTable, Span, open_video, packets_of, scan, spans
from simhand.frames.settings import SamplingSettings
from simhand.frames.spool import Frame, SpoolWriter, read_spool
from tests.frames.numbered import Fraction, at_thirty, numbers, sample, write_numbered

B_FRAMES = {"g": "48", "bf": "3", "b-pyramid": "normal", "refs": "3"}
OPEN_GOP = {"g": "20", "bf": "3", "x264-params": "open-gop=1:scenecut=0:b-adapt=0"}
VARIABLE = [0, 0.04, 0.9, 1.5, 1.55, 1.6, 2.9, 2.95, 5.01, 5.6, 7.4, 7.5, 8.2]


def ways_used(path: Path, fps: float, spool: Path, *, without: int = 0) -> tuple[list[str], list[Frame], str]:
    """Samples here, by the ways from the `without`th on: the ways tried, the frames, what is wrong."""
    tried: list[str] = []
    ways = [pyav_decoder._by_packets, pyav_decoder._by_times, pyav_decoder._by_count]

    def watched(name: str, way):  # noqa: ANN001, ANN202
        def try_it(*arguments):  # noqa: ANN002, ANN202
            if ways.index(way) < without:
                raise pyav_decoder.UnsuitedError
            tried.append(name)
            return way(*arguments)

        return try_it

    with pytest.MonkeyPatch.context() as patch, spool.open("wb+") as file:
        for way in ways:
            patch.setattr(pyav_decoder, way.__name__, watched(way.__name__, way))
        wrong = pyav_decoder.sample(str(path), fps, 95, SpoolWriter(os.dup(file.fileno())))
        return tried, [entry for entry in read_spool(file) if isinstance(entry, Frame)], wrong


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("b.mp4", "libx264", B_FRAMES),
        ("open.mp4", "libx264", OPEN_GOP),
        ("open.mkv", "libx264", OPEN_GOP),
        ("open.ts", "libx264", OPEN_GOP),
        ("intra.mp4", "libx264", {"g": "1"}),
        ("refresh.mkv", "libx264", {"x264-params": "intra-refresh=1:keyint=30"}),
        ("hevc.mp4", "libx265", {"x265-params": "log-level=none:keyint=25:bframes=4:open-gop=1"}),
        ("pyramid.mkv", "libx265", {"x265-params": "log-level=none:keyint=60:bframes=8:b-pyramid=1:b-adapt=0"}),
        ("layers.mp4", "libx265", {"x265-params": "log-level=none:keyint=60:bframes=4:b-adapt=0:temporal-layers=3"}),
        ("hevc.ts", "libx265", {"x265-params": "log-level=none:keyint=25:bframes=4"}),
        ("mpeg2.ts", "mpeg2video", {"g": "12", "bf": "2"}),
        ("mpeg4.mp4", "mpeg4", {"g": "12", "bf": "2"}),
        ("vp8.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "g": "40"}),
        ("vp9.webm", "libvpx-vp9", {"g": "40", "cpu-used": "8"}),
    ],
)
@pytest.mark.parametrize("fps", [0.5, 1.0, 7.0, 13.0])
def test_passing_over_packets_changes_no_byte(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], fps: float
) -> None:
    path = write_numbered(tmp_path / name, at_thirty(200), codec=codec, options=options)
    tried, frames, wrong = ways_used(path, fps, tmp_path / "spool")
    _, all_decoded, _ = ways_used(path, fps, tmp_path / "spool", without=1)
    assert (tried, wrong) == (["_by_packets"], "")
    assert frames == all_decoded
    assert [frame.frame_index for frame in frames] == [int(30 * k / fps + 0.03) for k in range(ceil(200 / 30 * fps))]


@pytest.mark.parametrize(
    ("name", "codec", "options", "tells"),
    [
        ("a.mp4", "libx264", {}, True),
        ("a.ts", "libx264", {}, True),
        ("a.mp4", "libx265", {"x265-params": "log-level=none"}, True),
        ("layers.mp4", "libx265", {"x265-params": "log-level=none:bframes=4:temporal-layers=3"}, False),
        ("a.ts", "libx265", {"x265-params": "log-level=none"}, False),
        ("a.mkv", "mpeg4", {}, False),
    ],
)
def test_which_videos_tell_what_no_frame_refers_to(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], tells: bool
) -> None:
    with open_video(str(write_numbered(tmp_path / name, at_thirty(60), codec=codec, options=options))) as (_, stream):
        assert pyav_decoder._tells_unreferenced(stream.codec_context) is tells


def test_decord_refuses_what_it_would_show_wrongly(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.ts", at_thirty(60))
    rows, statuses = sample(tmp_path, [path], SamplingSettings(fps=1, decoder="decord"))
    assert (rows["a.ts"], statuses["a.ts"]["status"]) == ([], "corrupt")
    assert "transport stream" in statuses["a.ts"]["reason"]


def test_a_keyframe_saves_what_lies_before_it(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "a.mp4", at_thirty(300), options={"g": "10", "bf": "2", "sc_threshold": "0"})
    table = scan(str(path))
    wanted = {table.order[i] for i in (0, 60, 123, 250)}
    fed = sum(span.last - span.first + 1 for span in spans(table, wanted))
    assert fed <= 1 + 1 + 10 + 1
    with open_video(str(path)) as (container, stream):
        positions = {packet.pts: i for i, packet in enumerate(packets_of(container, stream))}
    assert all(any(span.first <= positions[time] <= span.last for span in spans(table, wanted)) for time in wanted)


def table_of(times: list[int], keys: set[int]) -> PacketTable:
    table = PacketTable(Fraction(1, 30), 30.0)
    table.times.extend(times)
    table.keys.extend(i in keys for i in range(len(times)))
    table.shown.extend([True] * len(times))
    return table


def test_a_frame_shown_before_the_keyframe_it_follows_is_decoded_from_the_one_before() -> None:
    # in the file: I0 P4 b2 | I8 b6 P12; frame 6 follows I8, but may refer to P4
    table = table_of([0, 4, 2, 8, 6, 12], {0, 3})
    assert spans(table, {6}) == [Span(0, 4)]
    assert spans(table, {12}) == [Span(3, 5)]
    assert spans(table, {0, 12}) == [Span(0, 0), Span(3, 5)]
    assert spans(table, {2, 8}) == [Span(0, 3)]
    assert spans(table, {0, 8}) == [Span(0, 0), Span(3, 3)]
    assert spans(table, {0, 6, 8}) == [Span(0, 4)]  # 8 alone would begin at I8, but 6 follows it


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.data())
def test_spans_begin_at_a_keyframe_before_each_wanted_frame(groups: list[int], data: st.DataObject) -> None:
    count = sum(groups)
    keys = {sum(groups[:i]) for i in range(len(groups))}
    moves = data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count))
    shown = sorted(range(1, count), key=lambda i: i + moves[i])  # decoded in the order of the file, shown in another
    times = [0] * count
    for time, position in enumerate([0, *shown]):
        times[position] = time
    table = table_of(times, keys)
    wanted = set(data.draw(st.lists(st.sampled_from(times), min_size=1)))
    found = spans(table, wanted)
    fed = [i for span in found for i in range(span.first, span.last + 1)]
    assert fed == sorted(set(fed))
    assert all(span.first in keys and times[span.last] in wanted for span in found)
    for time in wanted:
        position = times.index(time)
        span = next(span for span in found if span.first <= position <= span.last)
        assert any(times[key] <= time and span.first <= key <= position for key in keys)


@pytest.mark.parametrize(
    ("name", "times", "options"),
    [
        ("normal.mp4", at_thirty(140), {}),
        ("variable.mp4", VARIABLE, {}),
        ("variable.mkv", VARIABLE, {}),
        ("b.mp4", at_thirty(140), B_FRAMES),
        ("later.mkv", [12.5 + time for time in at_thirty(80)], {}),
    ],
)
def test_both_decoders_take_the_same_frames(
    tmp_path: Path, name: str, times: list[float], options: dict[str, str]
) -> None:
    path = write_numbered(tmp_path / name, times, options=options)
    by_pyav, status = sample(tmp_path, [path], SamplingSettings(fps=2))
    by_decord, other_status = sample(tmp_path, [path], SamplingSettings(fps=2, decoder="decord"))
    assert len(by_pyav[name]) > 4
    assert [row["frame_index"] for row in by_pyav[name]] == [row["frame_index"] for row in by_decord[name]]
    assert numbers(by_pyav[name]) == [row["frame_index"] for row in by_pyav[name]]
    for one, other in zip(by_pyav[name], by_decord[name], strict=True):
        assert one["timestamp_s"] == other["timestamp_s"]
        assert abs(one["image"].astype(int) - other["image"]).mean() < 1
    assert status == other_status


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_avi_which_has_no_times_of_display_is_sampled_by_counting(tmp_path: Path, codec: str) -> None:
    path = write_numbered(tmp_path / "a.avi", at_thirty(100), codec=codec, options={"bf": "2"})
    tried, frames, wrong = ways_used(path, 1.0, tmp_path / "spool")
    assert tried[-1] == "_by_count"
    assert wrong == ""
    assert [frame.frame_index for frame in frames] == [0, 30, 60, 90]
    assert [frame.timestamp_s for frame in frames] == pytest.approx([0, 1, 2, 3], abs=1e-3)
    rows, _ = sample(tmp_path, [path], SamplingSettings(fps=1))
    assert numbers(rows["a.avi"]) == [0, 30, 60, 90]


def test_time_that_jumps_back_is_counted_instead(tmp_path: Path) -> None:
    first = write_numbered(tmp_path / "a.ts", at_thirty(60))
    path = tmp_path / "twice.ts"
    path.write_bytes(first.read_bytes() * 2)  # as `cat` joins them
    rows, statuses = sample(tmp_path, [path], SamplingSettings(fps=1))
    assert numbers(rows["twice.ts"]) == [0, 30, 0, 30]
    assert [row["timestamp_s"] for row in rows["twice.ts"]] == pytest.approx([0, 1, 2, 3], abs=0.05)
    assert statuses["twice.ts"]["status"] == "ok"


def test_a_stream_that_begins_without_a_keyframe_begins_at_its_first_one(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "whole.ts", at_thirty(150), options={"g": "50", "bf": "0", "sc_threshold": "0"})
    path = tmp_path / "late.ts"
    path.write_bytes(whole.read_bytes()[188 * 45 :])  # whole packets of the transport stream
    rows, statuses = sample(tmp_path, [path], SamplingSettings(fps=1))
    assert statuses["late.ts"]["status"] == "ok"
    assert numbers(rows["late.ts"])[0] in (50, 100)
    assert [row["timestamp_s"] for row in rows["late.ts"]] == pytest.approx(range(len(rows["late.ts"])), abs=0.04)


def test_real_videos_need_no_second_way(shared: Path, tmp_path: Path) -> None:
    for path in sorted((shared / "videos").glob("*/*.m*"))[:8]:
        tried, frames, wrong = ways_used(path, 1.0, tmp_path / "spool")
        _, all_decoded, _ = ways_used(path, 1.0, tmp_path / "spool", without=1)
        assert (tried, wrong) == (["_by_packets"], "")
        assert frames == all_decoded


def test_no_decoded_picture_outlives_its_turn(tmp_path: Path) -> None:
    """Pictures of 100 MB must not wait for Python's garbage collector."""
    path = write_numbered(tmp_path / "a.mp4", at_thirty(120), size=(640, 480))
    gc.collect()
    gc.disable()
    try:
        with (tmp_path / "spool").open("wb") as file:
            pyav_decoder.sample(str(path), 30.0, 95, SpoolWriter(file.fileno()))
        kept = [thing for thing in gc.get_objects() if isinstance(thing, av.VideoFrame)]
    finally:
        gc.enable()
    assert len(kept) <= 1
