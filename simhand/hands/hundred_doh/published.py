"""What the authors of the detector published: told in messages, and whether a file is the expected one."""

from __future__ import annotations

from pathlib import Path

from simhand.errors import WeightsError
from simhand.files import file_sha256

EXPECTED = (
    "the 100DOH hand and object detector of Shan et al.: faster_rcnn_1_8_132028.pth, or faster_rcnn_1_8_89999.pth"
)
HINT = (
    "its authors offer it at https://github.com/ddshan/hand_object_detector (README, models); without it take "
    "detection: {detector: mediapipe}"
)


def checked_sha256(path: Path | str, expected: str | None) -> str:
    """What a file of weights hashes to.

    Raises:
        WeightsError: it is missing, or does not hash to `expected`, where that is given.
    """
    try:
        got = file_sha256(path)
    except OSError as error:
        what = "the hand detector's weights cannot be read"
        raise WeightsError(what, where=path, expected=EXPECTED, got=error, hint=HINT) from error
    if expected is not None and got != expected.lower():
        what, hint = "the hand detector's weights have another content", f"{EXPECTED}; {HINT}"
        raise WeightsError(what, where=path, expected=f"sha256 {expected}", got=got, hint=hint)
    return got
