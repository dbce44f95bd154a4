"""Decoded pictures to JPEG. Pillow does it: loading it takes a sixth of the time of OpenCV, once for each video."""

from __future__ import annotations

import io
import struct

from av import VideoFrame
from av.sidedata.sidedata import SideData
from av.video.reformatter import VideoReformatter
from PIL import Image

# Display matrices, (a, b, c, d) of x' = a x + c y, y' = b x + d y with y down, and what they do to a picture.
_ORIENTATIONS = {
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}

MIRRORED = frozenset(
    {Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM}
    | {Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE}
)


def orientation(frame: VideoFrame) -> Image.Transpose | None:
    """How to turn or mirror a picture so that it is as its container says, if its container says anything.

    Players and OpenCV do the same. A mirrored picture matters here: it would swap left and right hands. Angles other
    than quarter turns are left as they are.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return None
    a, b, _, c, d, *_ = (round(value / 65536) for value in struct.unpack("<9i", bytes(matrix)))
    return _ORIENTATIONS.get((a, b, c, d))


class JpegWriter:
    """Makes JPEGs of the decoded frames of one video, upright.

    Only the first frame is asked how it is to be turned: that is the same for all of them, and PyAV keeps a frame that
    was asked in memory until Python's garbage collector comes by, hundreds of frames later.
    """

    def __init__(self, quality: int) -> None:
        self._quality = quality
        self._turn: Image.Transpose | None = None
        self._asked = False
        self._reformatter = VideoReformatter()  # keeps the tables of the conversion from frame to frame

    def from_frame(self, frame: VideoFrame) -> bytes:
        """A decoded frame to JPEG."""
        if not self._asked:
            self._turn, self._asked = orientation(frame), True
        rgb = self._reformatter.reformat(frame, format="rgb24", threads=1)
        plane = rgb.planes[0]
        size = (rgb.width, rgb.height)
        image = Image.frombuffer("RGB", size, plane, "raw", "RGB", plane.line_size, 1)  # type: ignore[arg-type]
        return self.from_image(image, self._turn)

    def from_image(self, image: Image.Image, turn: Image.Transpose | None = None) -> bytes:
        """An image to JPEG."""
        data = io.BytesIO()
        upright = image if turn is None else image.transpose(turn)
        upright.convert("RGB").save(data, "JPEG", quality=self._quality, subsampling="4:2:0")
        return data.getvalue()
