"""A video's packets: when each is shown, and which of them have to be decoded to see certain frames.

Reading packets costs a few percent of decoding them, and tells the time of every frame before the first is decoded.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream


class NoVideoError(ValueError):
    """A file without a stream of pictures."""


@contextmanager
def open_video(path: str) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a file and its best stream of pictures, to be decoded by one thread.

    Raises:
        av.FFmpegError: no container that FFmpeg knows.
        NoVideoError: no pictures in it, or of a codec that FFmpeg does not know.
    """
    # "file:" so that no name is taken for a protocol; no playlist may lead elsewhere
    with av.open(f"file:{path}", metadata_errors="ignore", options={"protocol_whitelist": "file"}) as container:
        stream = container.streams.best("video")
        if stream is None or stream.disposition & Disposition.attached_pic:  # that is the cover of a sound file
            raise NoVideoError("no video stream")
        assert isinstance(stream, VideoStream)
        if stream.codec_context is None:
            raise NoVideoError("a codec that FFmpeg does not know")
        stream.codec_context.thread_count = 1
        yield container, stream


def packets_of(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet]:
    """The packets of a stream; without those that are empty, which say that nothing changes, or that the file ends."""
    return (packet for packet in container.demux(stream) if packet.size)


@dataclass
class PacketTable:
    """The packets of a video, in the order of the file, which is that of decoding.

    `times` and `end` are in units of `time_base` seconds; `shown` tells which packets become frames that count. `timed`
    is false where a packet's time is not that of its frame. `damage` says why reading ended early, if it did.
    """

    time_base: Fraction
    rate: float
    stated_s: float | None = None
    times: array[int] = field(default_factory=lambda: array("q"))
    keys: bytearray = field(default_factory=bytearray)
    shown: bytearray = field(default_factory=bytearray)
    end: int = -(2**62)
    timed: bool = True
    damage: str = ""

    @cached_property
    def order(self) -> list[int]:
        """The times of the frames that count, in the order of display."""
        return sorted(time for time, shown in zip(self.times, self.shown, strict=True) if shown)

    @property
    def starts_s(self) -> list[float]:
        """When each frame is shown, in seconds after the first, ascending."""
        return [self.seconds(time) for time in self.order]

    @property
    def duration_s(self) -> float:
        """When the last frame ends, in seconds after the first appears."""
        return self.seconds(self.end) if self.order else 0.0

    def seconds(self, time: int) -> float:
        """A time in seconds after the first frame."""
        return (time - self.order[0]) * self.time_base.numerator / self.time_base.denominator

    def frame_index(self, time: int) -> int:
        """The position of the frame that is shown from `time` on."""
        return bisect_left(self.order, time)

    def why_incomplete(self) -> str:
        """Why frames at the end are missing; empty if none are."""
        if self.damage:
            return self.damage
        if self.stated_s is None or not self.order:
            return ""
        there_s = max(self.duration_s, float(self.end * self.time_base))  # Matroska counts from 0, not the first frame
        if self.stated_s - there_s > max(1.0, 0.05 * self.stated_s):
            return f"the video ends after {there_s:.1f} s of {self.stated_s:.1f} s"
        return ""


def scan(path: str) -> PacketTable:
    """Reads the times of all packets of a video, decoding none.

    Raises:
        av.FFmpegError, NoVideoError: as `open_video`.
    """
    with open_video(path) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate or Fraction(30)
        table = PacketTable(stream.time_base or Fraction(1, 1000), float(rate), _stated_s(container, stream))
        table.timed = container.format.name != "avi"  # what AVI calls a time is the order of decoding
        step = max(round(1 / (rate * table.time_base)), 1)
        try:
            for packet in packets_of(container, stream):
                _add(table, packet, step)
        except av.FFmpegError as error:
            table.damage = error.strerror or str(error)
        except IndexError:  # PyAV, of a stream that the file's head does not name
            table.damage = "a packet of an unknown stream"
    _leave_out_undecodable(table)
    return table


def _add(table: PacketTable, packet: av.Packet, step: int) -> None:
    table.timed &= packet.pts is not None
    time = packet.pts if packet.pts is not None else packet.dts
    if time is None:
        time = len(table.times) * step
    table.times.append(time)
    table.keys.append(packet.is_keyframe)
    table.shown.append(not packet.is_discard)  # an edit list may leave frames out that others need
    if not packet.is_discard:
        table.end = max(table.end, time + (packet.duration or step))


def _leave_out_undecodable(table: PacketTable) -> None:
    """What comes before the first keyframe, in the file or on display, refers to what is not there."""
    first = table.keys.find(1)
    for i in range(len(table.times)):
        if i < first or (table.timed and first >= 0 and table.times[i] < table.times[first]):
            table.shown[i] = False


def _stated_s(container: InputContainer, stream: VideoStream) -> float | None:
    """The duration that the file states for the pictures; of MPEG streams FFmpeg only has an estimate."""
    if "mpeg" in container.format.name:
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams.get()) == 1:
        return container.duration / av.time_base
    return None


class Span(NamedTuple):
    """Packets to decode in one go, from a keyframe on: positions in the file, both included."""

    first: int
    last: int


def spans(table: PacketTable, wanted: Set[int]) -> list[Span]:
    """The packets to decode for the frames shown at the times `wanted`.

    Decoding starts at the last keyframe that comes before a wanted frame both in the file and on display, unless it is
    under way already, and ends with the wanted frame. (A frame that follows a keyframe in the file, but is shown before
    it, may refer to what lies before that keyframe.)
    """
    keys = [i for i, key in enumerate(table.keys) if key]
    found: list[Span] = []
    for position, time in enumerate(table.times):
        if time not in wanted or not table.shown[position]:
            continue
        i = bisect_right(keys, position) - 1
        while table.times[keys[i]] > time:
            i -= 1
        first = keys[i]
        while found and first <= found[-1].last + 1:  # more than one may join, for a frame that reaches far back
            first = min(first, found.pop().first)
        found.append(Span(first, position))
    return found
