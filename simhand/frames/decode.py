"""Samples one video, in a process of its own: a decoder that crashes, hangs or grows takes nothing else down.

    python -m simhand.frames.decode REQUEST > SPOOL

REQUEST is a `Request` as JSON. What it finds goes to standard output (see `simhand.frames.spool`), how it went as the
fact `status`; without that fact, the process was killed or crashed, or ended with FAULT: it cannot work here, whatever
the video. This module and what it imports load in a tenth of a second, which each of thousands of videos pays: no
numpy, no pyarrow, no OpenCV.
"""

from __future__ import annotations

import json
import os
import resource
import stat
import sys
from typing import NamedTuple

from simhand.frames.spool import SpoolError, SpoolWriter
from simhand.videos.lifetime import end_with_parent

FAULT = os.EX_OSERR


class Request(NamedTuple):
    """One video, and how to sample it.

    A `frame_rate` above 0 says that `path` is a folder of frames. The process ends with the process `parent`.
    """

    path: str
    fps: float
    jpeg_quality: int
    decoder: str
    frame_rate: float
    memory_limit_mb: int
    parent: int


class _OutcomeError(Exception):
    """A status other than ok, and why."""

    def __init__(self, status: str, reason: str) -> None:
        self.status, self.reason = status, reason


def sample(request: Request, spool: SpoolWriter) -> None:
    """Samples a video, and says how it went."""
    status, reason = "ok", ""
    try:
        before = _look(request)
        status, reason = _decoded(request, spool)
        _check_unchanged(request, before)
    except _OutcomeError as outcome:
        status, reason = outcome.status, outcome.reason
        if status == "changed":  # frames of two versions do not belong together
            spool.restart()
    if status == "ok" and spool.frames == 0:
        status, reason = "empty", "no frame"
    spool.facts(status=status, **({"reason": reason} if reason else {}))  # or what the decoder noted


def _look(request: Request) -> os.stat_result:
    """The state of a file that can be opened; waits for nothing, whatever it is."""
    try:
        file = os.open(request.path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise _OutcomeError("unreadable", error.strerror or str(error)) from error
    try:
        state = os.fstat(file)
    finally:
        os.close(file)
    wanted = stat.S_ISDIR if request.frame_rate else stat.S_ISREG
    if not wanted(state.st_mode):
        raise _OutcomeError("unreadable", "not a folder" if request.frame_rate else "not a file")
    if state.st_size == 0 and not request.frame_rate:
        raise _OutcomeError("corrupt", "0 bytes")
    return state


def _decoded(request: Request, spool: SpoolWriter) -> tuple[str, str]:
    limit = resource.getrlimit(resource.RLIMIT_AS)
    try:
        reason = _run_decoder(request, spool)
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_AS, (limit[1], limit[1]))
        return "memory", f"decoding wants more than {request.memory_limit_mb} MB, or than there is"
    except (OSError, ValueError) as error:
        return "corrupt", getattr(error, "strerror", None) or str(error)
    return ("corrupt", reason) if reason else ("ok", "")


def _run_decoder(request: Request, spool: SpoolWriter) -> str:
    """Loads what it needs before memory is limited, so that the limit is the video's."""
    if request.frame_rate:
        from simhand.frames import image_folder  # noqa: PLC0415

        _limit_memory(request.memory_limit_mb)
        return image_folder.sample(request.path, request.fps, request.jpeg_quality, request.frame_rate, spool)
    if request.decoder == "decord":
        from simhand.frames import decord_decoder as decoder  # noqa: PLC0415
    else:
        from simhand.frames import pyav_decoder as decoder  # type: ignore[no-redef] # noqa: PLC0415
    _limit_memory(request.memory_limit_mb)
    return decoder.sample(request.path, request.fps, request.jpeg_quality, spool)


def _limit_memory(megabytes: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _check_unchanged(request: Request, before: os.stat_result) -> None:
    try:
        after = os.stat(request.path)  # noqa: PTH116
    except OSError as error:
        raise _OutcomeError("changed", "removed while it was read") from error
    if (after.st_size, after.st_mtime_ns, after.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino):
        sizes = f"{before.st_size} bytes before, {after.st_size} after"
        raise _OutcomeError("changed", f"written to while it was read ({sizes})")


def main(request: str) -> None:
    """The command line. Standard output is kept for the spool; what C libraries print goes to standard error."""
    asked = Request(**json.loads(request))
    end_with_parent(asked.parent)
    spool = os.dup(1)
    os.dup2(2, 1)
    try:
        sample(asked, SpoolWriter(spool))
    except (SpoolError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(FAULT)


if __name__ == "__main__":
    main(*sys.argv[1:])
