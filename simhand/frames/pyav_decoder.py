"""Samples a video with PyAV (FFmpeg).

Three ways, tried in this order; what does not suit one is left to the next, which starts afresh:

1. `_by_packets`: the packets tell which frames are wanted, and only what those need is decoded: from one keyframe to
   another nothing, if no sample lies between, and never an H.264 or H.265 frame that no other refers to. For files
   whose packets tell the time of their frames, and that decode without an error.
2. `_by_times`: every packet is decoded, as a player does, and the frames tell their times. For damaged files.
3. `_by_count`: the i-th frame has the i-th time. For AVI, which has no times of display, and for files whose time
   jumps back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
from av.video.codeccontext import VideoCodecContext

from simhand.frames.moments import on_display, sample_indices
from simhand.frames.packets import PacketTable, open_video, packets_of, scan, spans
from simhand.frames.pictures import JpegWriter
from simhand.frames.spool import SpoolWriter


class UnsuitedError(Exception):
    """This way of decoding does not suit the video."""


class Damage:
    """What could not be decoded: how much, and the first of it."""

    def __init__(self) -> None:
        self.count = 0
        self.first = ""
        self.keyframe_after: int | None = None  # nothing can be trusted before a keyframe that is shown after this time

    def add(self, what: str, time: int | None, table: PacketTable) -> None:
        """Notes what could not be decoded, at a time of the table's unit."""
        place = f" at {table.seconds(time):.1f} s" if time is not None and table.order else ""
        self.count += 1
        self.first = self.first or f"{what}{place}"
        self.keyframe_after = max(self.keyframe_after or -(2**62), -(2**62) if time is None else time)

    def spoils(self, frame: av.VideoFrame) -> bool:
        """Whether a frame may refer to what is damaged. The decoder does not tell: it shows what it can."""
        if self.keyframe_after is None:
            return False
        if frame.key_frame and (frame.pts is None or frame.pts > self.keyframe_after):
            self.keyframe_after = None
            return False
        return True

    def __str__(self) -> str:
        return f"{self.first} ({self.count - 1} more)" if self.count > 1 else self.first


def sample(path: str, fps: float, jpeg_quality: int, spool: SpoolWriter) -> str:
    """Hands the frames of a video, sampled by time, to `spool`.

    Returns:
        What is wrong with the video, in short; empty if all of it could be decoded.

    Raises:
        ValueError: nothing of it can be decoded.
        MemoryError: it wants more memory than there is.
    """
    try:
        return _sample(path, fps, jpeg_quality, spool)
    except av.error.MemoryError:
        raise
    except av.FFmpegError as error:
        raise ValueError(error.strerror or str(error)) from error


def _sample(path: str, fps: float, jpeg_quality: int, spool: SpoolWriter) -> str:
    table = scan(path)
    jpegs = JpegWriter(jpeg_quality)
    ways: tuple[Callable[..., Damage], ...] = (_by_packets, _by_times, _by_count)
    for way in ways:
        spool.restart()
        spool.facts(fps=table.rate, duration_s=table.duration_s)
        try:
            return str(way(path, fps, table, jpegs, spool)) or table.why_incomplete()
        except UnsuitedError:
            continue
    raise AssertionError("counting suits every video")


def _by_packets(path: str, fps: float, table: PacketTable, jpegs: JpegWriter, spool: SpoolWriter) -> Damage:
    if not table.timed or not any(table.keys) or len(set(table.order)) < len(table.order):
        raise UnsuitedError
    starts_s = table.starts_s
    wanted = (
        {table.order[i]: (i, starts_s[i]) for i in sample_indices(starts_s, table.duration_s, fps)} if starts_s else {}
    )
    try:
        for frame in _frames_of_spans(path, table, set(wanted)):
            if frame.pts in wanted:
                index, start_s = wanted.pop(frame.pts)
                spool.frame(index, start_s, jpegs.from_frame(frame))
    except av.error.MemoryError:
        raise
    except av.FFmpegError:
        raise UnsuitedError from None
    if wanted:
        raise UnsuitedError
    return Damage()


def _frames_of_spans(path: str, table: PacketTable, wanted: set[int]) -> Iterator[av.VideoFrame]:
    """What decoding the packets of `spans` gives, in the order of display."""
    waiting = iter(spans(table, wanted))
    span = next(waiting, None)
    shown_before = None
    with open_video(path) as (container, stream):
        decoder = stream.codec_context
        may_skip = _tells_unreferenced(decoder)
        for position, packet in enumerate(packets_of(container, stream)):
            if span is None:
                return
            if position < span.first:
                continue
            if table.times[position] != packet.pts:
                raise UnsuitedError  # the file is another one by now
            if may_skip:
                decoder.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            frames = decoder.decode(packet)
            if position == span.last:
                frames += decoder.decode(None)
                decoder.flush_buffers()
            for frame in frames:
                if frame.pts is None or (shown_before is not None and frame.pts <= shown_before):
                    raise UnsuitedError
                if frame.is_corrupt and frame.pts >= table.times[span.first]:
                    raise UnsuitedError
                shown_before = frame.pts
                yield frame
            if position == span.last:
                span = next(waiting, None)


def _tells_unreferenced(decoder: VideoCodecContext) -> bool:
    """Whether a frame of this video tells that no other frame refers to it.

    In H.264 it does. In H.265 it says so of its own temporal layer only, so there must be a single one; the header of
    MP4 and Matroska tells (ISO/IEC 14496-15, 8.3.3.1.2: the byte with numTemporalLayers).
    """
    if decoder.name == "hevc":
        header = decoder.extradata or b""
        return len(header) > 22 and header[0] == 1 and header[21] >> 3 & 7 == 1
    return decoder.name == "h264"


def _by_times(path: str, fps: float, table: PacketTable, jpegs: JpegWriter, spool: SpoolWriter) -> Damage:
    if not table.timed or not table.order:
        raise UnsuitedError
    damage = Damage()
    frames = ascending(all_frames(path, table, damage), table, damage)
    for start_s, frame in on_display(frames, table.duration_s - table.seconds(table.order[-1]), fps):
        spool.frame(table.frame_index(frame.pts or 0), start_s, jpegs.from_frame(frame))
    return damage


def ascending(
    frames: Iterator[av.VideoFrame], table: PacketTable, damage: Damage
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with the times when they are shown; of frames of one time the first."""
    before = table.order[0] - 1
    for frame in frames:
        if frame.pts is None or (frame.pts < before and not damage.count):
            raise UnsuitedError
        if frame.pts > before:
            yield table.seconds(frame.pts), frame
            before = frame.pts  # what a decoder held back when it met a damage may come late: passed over


def _by_count(path: str, fps: float, table: PacketTable, jpegs: JpegWriter, spool: SpoolWriter) -> Damage:
    damage = Damage()
    frames = counted(all_frames(path, table, damage), table)
    for start_s, (index, frame) in on_display(frames, 1 / table.rate, fps):
        spool.frame(index, start_s, jpegs.from_frame(frame))
    return damage


def counted(frames: Iterator[av.VideoFrame], table: PacketTable) -> Iterator[tuple[float, tuple[int, av.VideoFrame]]]:
    """Frames with their positions and the times that belong to these: the packets' in order, unless they jump back."""
    starts_s = [] if table.timed else table.starts_s
    for i, frame in enumerate(frames):
        yield starts_s[i] if i < len(starts_s) else i / table.rate, (i, frame)


def all_frames(path: str, table: PacketTable, damage: Damage) -> Iterator[av.VideoFrame]:
    """All frames of a video that count and are whole; what is not whole adds to `damage`."""
    with open_video(path) as (container, stream):
        decoder = stream.codec_context
        for packet in _readable(packets_of(container, stream)):
            yield from _whole(_decode(decoder, packet, table, damage), table, damage)
        yield from _whole(_decode(decoder, None, table, damage), table, damage)


def _readable(packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Packets up to where the file cannot be read on, which the table of packets knows already."""
    try:
        yield from packets
    except av.FFmpegError:
        return


def _decode(
    decoder: VideoCodecContext, packet: av.Packet | None, table: PacketTable, damage: Damage
) -> list[av.VideoFrame]:
    try:
        return decoder.decode(packet)
    except av.error.MemoryError:
        raise
    except av.FFmpegError as error:
        if not _left_out(packet, table):
            damage.add(error.strerror or str(error), packet.pts if packet else None, table)
        return []


def _whole(frames: list[av.VideoFrame], table: PacketTable, damage: Damage) -> Iterator[av.VideoFrame]:
    for frame in frames:
        if _left_out(frame, table):
            continue
        if frame.is_corrupt:
            damage.add("damaged frame", frame.pts, table)
        elif not damage.spoils(frame):
            yield frame


def _left_out(what: av.Packet | av.VideoFrame | None, table: PacketTable) -> bool:
    """Whether it comes before the first frame that counts."""
    return bool(what and table.timed and table.order and what.pts is not None and what.pts < table.order[0])
