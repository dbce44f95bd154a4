"""Pictures come out upright, and not mirrored: that would swap left and right hands."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from simhand.frames.settings import SamplingSettings
from tests.frames.numbered import at_thirty, sample_among_neighbours, write_numbered


def quarters() -> np.ndarray:
    """A picture whose quarters differ: 40, 80 over 120, 160; larger than high."""
    image = np.zeros((64, 96, 3), np.uint8)
    image[:32, :48], image[:32, 48:], image[32:, :48], image[32:, 48:] = 40, 80, 120, 160
    return image


def means(image: np.ndarray) -> list[int]:
    height, width = image.shape[0] // 2, image.shape[1] // 2
    parts = [image[:height, :width], image[:height, width:], image[height:, :width], image[height:, width:]]
    return [round(float(part[8:-8, 8:-8].mean()), -1) for part in parts]  # type: ignore[misc]


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize(
    ("rotation", "mirrored"), [(0, False), (90, False), (180, False), (270, False), (0, True), (90, True)]
)
def test_pictures_are_upright_whatever_their_container_turns(
    tmp_path: Path, rotation: int, mirrored: bool, decoder: str
) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.set_display_rotation(rotation, hflip=mirrored)
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(quarters(), "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    rows, status = sample_among_neighbours(path, SamplingSettings(fps=1, decoder=decoder))  # type: ignore[arg-type]
    if decoder == "decord" and mirrored:
        assert (rows, status["status"]) == ([], "corrupt")
        assert "decord does not mirror" in status["reason"]
        return
    turned = np.rot90(quarters(), rotation // 90)  # counter-clockwise
    expected = turned[:, ::-1] if mirrored else turned
    assert rows[0]["image"].shape == expected.shape
    assert means(rows[0]["image"]) == means(expected)


def test_the_turn_is_the_one_that_opencv_makes(tmp_path: Path) -> None:
    import cv2  # noqa: PLC0415

    path = write_numbered(tmp_path / "turned.mp4", at_thirty(40), rotation=90)
    rows, _ = sample_among_neighbours(path)
    capture = cv2.VideoCapture(str(path))
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    pictures = [capture.read()[1][..., ::-1] for _ in range(31)]
    assert rows[1]["image"].shape == (96, 64, 3)
    assert abs(rows[1]["image"].astype(int) - pictures[30]).mean() < 3
