"""Samples a video with decord, which is unmaintained: a second opinion on PyAV's pictures, of the same frames.

It turns pictures as their container says, but does not mirror them; shows other frames of MPEG transport streams than
are asked for; and knows no times in AVI: such videos are refused.
"""

from __future__ import annotations

from itertools import islice

import decord
from PIL import Image

from simhand.frames.moments import sample_indices
from simhand.frames.packets import open_video, scan
from simhand.frames.pictures import MIRRORED, JpegWriter, orientation
from simhand.frames.spool import SpoolWriter

_BATCH = 8  # frames decoded at once: bounds the memory whatever the video's length


def sample(path: str, fps: float, jpeg_quality: int, spool: SpoolWriter) -> str:
    """Hands the frames of a video, sampled by time, to `spool`.

    Returns:
        What is missing at the video's end, in short. Of other damage decord tells nothing, or it fails.

    Raises:
        av.FFmpegError, NoVideoError: nothing of it can be decoded.
        ValueError: the video, or some of it, cannot be decoded.
    """
    decord.logging.set_level(decord.logging.QUIET)
    try:
        return _sample(path, fps, jpeg_quality, spool)
    except decord.DECORDError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ValueError(lines[0] if lines else "decord failed without a word") from error


def _check_shown_rightly(path: str) -> None:
    with open_video(path) as (container, stream):
        if container.format.name == "mpegts":
            raise ValueError("decord finds no frame of a transport stream by its number: use pyav")
        if any(orientation(frame) in MIRRORED for frame in islice(container.decode(stream), 1)):
            raise ValueError("decord does not mirror pictures as this file says: use pyav")


def _sample(path: str, fps: float, jpeg_quality: int, spool: SpoolWriter) -> str:
    _check_shown_rightly(path)
    table = scan(path)
    spool.facts(fps=table.rate, duration_s=table.duration_s)
    reader = decord.VideoReader(path, num_threads=1)
    if not table.timed or len(reader) != len(table.order):
        raise ValueError(f"decord does not know the times of its {len(reader)} frames: use pyav")
    starts_s = table.starts_s
    indices = sample_indices(starts_s, table.duration_s, fps) if starts_s else []
    jpegs = JpegWriter(jpeg_quality)
    for first in range(0, len(indices), _BATCH):
        chosen = indices[first : first + _BATCH]
        for index, image in zip(chosen, reader.get_batch(chosen).asnumpy(), strict=True):
            spool.frame(index, starts_s[index], jpegs.from_image(Image.fromarray(image)))
    return table.why_incomplete()
