"""Samples a video with decord, which is unmaintained: a second opinion on PyAV's pictures, of the same frames.

It turns pictures as their container says, but does not mirror them; shows other frames of MPEG transport streams than
were asked for; and knows no times in AVI.
"""

from __future__ import annotations

import decord
from PIL import Image

from simhand.frames.moments import sample_indices
from simhand.frames.packets import scan
from simhand.frames.pictures import JpegWriter
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


def _sample(path: str, fps: float, jpeg_quality: int, spool: SpoolWriter) -> str:
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
