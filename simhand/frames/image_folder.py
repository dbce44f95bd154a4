"""Samples a folder of frames that somebody else extracted: images named by their number in the video."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image, ImageOps

from simhand.frames.moments import sample_indices
from simhand.frames.pictures import JpegWriter
from simhand.frames.spool import SpoolWriter
from simhand.videos.image_names import frame_numbers, is_image, numbering_note


def sample(path: str, fps: float, jpeg_quality: int, frame_rate: float, spool: SpoolWriter) -> str:
    """Hands the frames of a folder, sampled by time, to `spool`: JPEGs as they are, others encoded anew.

    Args:
        path: the folder.
        fps: samples a second.
        jpeg_quality: of what is encoded anew.
        frame_rate: what makes seconds of the frames' numbers.
        spool: takes the frames.

    Returns:
        Which images are damaged; empty if none is.
    """
    images = [e.name for e in Path(path).iterdir() if is_image(e.name) and (e.is_file() or not e.exists())]
    numbers = frame_numbers(images)
    names = list(numbers)
    starts_s = [number / frame_rate for number in numbers.values()]
    if not names:
        return ""
    end_s = starts_s[-1] + 1 / frame_rate
    spool.facts(fps=frame_rate, duration_s=end_s - starts_s[0], reason=numbering_note(images, numbers))
    jpegs = JpegWriter(jpeg_quality)
    damaged: list[str] = []
    for i in sample_indices(starts_s, end_s, fps):
        try:
            jpeg = _jpeg(Path(path, names[i]), jpegs)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            what = getattr(error, "strerror", None) or re.sub(r"<.*>", "the file", str(error))
            damaged.append(f"{names[i]}: {what}")
        else:
            spool.frame(numbers[names[i]], starts_s[i], jpeg)
    more = f" ({len(damaged) - 1} more)" if len(damaged) > 1 else ""
    return f"{damaged[0]}{more}" if damaged else ""


def _jpeg(path: Path, jpegs: JpegWriter) -> bytes:
    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError("more than 8 bits a channel")
        image.load()  # fails if the image is damaged
        return data if image.format == "JPEG" else jpegs.from_image(ImageOps.exif_transpose(image))
