"""MediaPipe's hand model file, made from the installed mediapipe package: nothing is downloaded."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import zipfile
from pathlib import Path

from simhand.errors import WeightsError
from simhand.files import file_sha256, whole_file

TASK_SHA256 = "7462e38bc4b5eb36699bb7f406e28e9768e70b0b073e0cf8a8da419ea4b8fa02"
_MEMBERS = {
    "hand_detector.tflite": "modules/palm_detection/palm_detection_full.tflite",
    "hand_landmarks_detector.tflite": "modules/hand_landmark/hand_landmark_full.tflite",
}
_LOCAL_HEADER_BYTES = 30
_ALIGNMENT = 4  # MediaPipe maps the members into memory and wants them aligned


def build_task_file(path: Path | str) -> None:
    """Writes `hand_landmarker.task`: the package's palm detector and landmark model, stored uncompressed in one zip.

    Raises:
        WeightsError: the package lacks the models, or they are not those of mediapipe 0.10.21.
    """
    with whole_file(path) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as bundle:
            for name, member in _MEMBERS.items():
                _store_aligned(bundle, name, _package_file(member).read_bytes())
        check_sha256(temporary, TASK_SHA256)


def copy_task_file(own: Path | str, path: Path | str, sha256: str | None) -> None:
    """Takes a model file of the user's own, if its content is the expected one.

    Raises:
        WeightsError: it is missing, or does not hash to `sha256` (where one is given).
    """
    if sha256 is not None:
        check_sha256(own, sha256)
    with whole_file(path) as temporary:
        shutil.copyfile(own, temporary)


def check_sha256(path: Path | str, expected: str) -> None:
    """Raises a WeightsError if a file is missing or has another content."""
    try:
        got = file_sha256(path)
    except OSError as error:
        raise WeightsError("cannot read a model file", where=path, got=error) from error
    if got != expected:
        raise WeightsError("a model file has another content", where=path, expected=expected, got=got)


def _package_file(member: str) -> Path:
    spec = importlib.util.find_spec("mediapipe")
    folder = Path(spec.origin).parent if spec and spec.origin else Path("mediapipe (not installed)")
    if not (folder / member).is_file():
        hint = "install mediapipe==0.10.21, or name a file of your own in keypoints.model"
        raise WeightsError("the mediapipe package carries no hand model", where=folder / member, hint=hint)
    return folder / member


def _store_aligned(bundle: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # a fixed date: equal models make equal files
    start = bundle.start_dir + _LOCAL_HEADER_BYTES + len(name)
    padding = -start % _ALIGNMENT
    if padding:
        padding += _ALIGNMENT  # an extra field has a header of four bytes: id, length
        info.extra = struct.pack("<HH", 0xD935, padding - 4) + bytes(padding - 4)
    bundle.writestr(info, data)
