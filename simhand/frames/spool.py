"""What a decoding process hands to its shard: a file of frames and facts, good up to wherever it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from struct import Struct
from typing import IO, Any, NamedTuple

_HEADER = Struct("<cidI")  # kind, frame_index, timestamp_s, length of what follows
_FRAME, _FACTS = b"f", b"s"


class SpoolError(Exception):
    """What was found cannot be kept: the disk is full, say. No fault of the video's."""


class Frame(NamedTuple):
    """One sampled frame."""

    frame_index: int
    timestamp_s: float
    jpeg: bytes


class SpoolWriter:
    """Appends frames and facts to an open file; each is in the file when the call returns, or SpoolError is raised."""

    def __init__(self, file: int) -> None:
        self._file = file
        self.frames = 0

    def frame(self, frame_index: int, timestamp_s: float, jpeg: bytes) -> None:
        """Adds a frame."""
        self._write(_HEADER.pack(_FRAME, frame_index, timestamp_s, len(jpeg)), jpeg)
        self.frames += 1

    def facts(self, **facts: Any) -> None:
        """Adds what is known about the video; a later fact takes the place of an earlier one."""
        text = json.dumps(facts).encode()
        self._write(_HEADER.pack(_FACTS, 0, 0.0, len(text)), text)

    def restart(self) -> None:
        """Forgets everything."""
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self.frames = 0

    def _write(self, *parts: bytes) -> None:
        data = memoryview(b"".join(parts))
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise SpoolError(f"cannot write frames: {error.strerror}") from error


def read_spool(file: IO[bytes]) -> Iterator[Frame | dict[str, Any]]:
    """The frames and facts of a file, in order; what its writer was killed over is left out."""
    file.seek(0)
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        kind, frame_index, timestamp_s, length = _HEADER.unpack(header)
        content = file.read(length)
        if len(content) < length:
            return
        yield Frame(frame_index, timestamp_s, content) if kind == _FRAME else json.loads(content)
