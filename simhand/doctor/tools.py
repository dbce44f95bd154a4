"""Whether what the configured stages work with is there: decoders, models, weights."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from simhand.config import Config
from simhand.doctor.finding import Finding, ok, problem, warning
from simhand.errors import SimhandError
from simhand.hands.hundred_doh.published import checked_sha256
from simhand.hands.model import build_task_file, check_sha256
from simhand.hands.settings import DetectionSettings
from simhand.keypoints.settings import KeypointSettings

_CODECS = ("h264", "hevc", "vp9", "av1", "mpeg4")
_LIBRARIES = "apt install libgl1 libegl1 libgles2"


def check_tools(config: Config) -> Iterator[Finding]:
    """Decoder, OpenCV, MediaPipe's model, and the weights of 100DOH where they are configured."""
    yield _decoder(config.sampling.decoder)
    yield _importable("cv2", "OpenCV", _LIBRARIES)
    yield _importable("mediapipe", "MediaPipe", "pip install 'simhand[data]'")
    yield _hand_model(config.keypoints)
    yield _detector(config.detection)


def _decoder(name: str) -> Finding:
    if name == "decord":
        return _importable("decord", "the decoder decord", "pip install 'simhand[data]', or sampling.decoder: pyav")
    try:
        import av  # noqa: PLC0415 - what it takes is looked for here
        from av.codec import Codec  # noqa: PLC0415
    except ImportError as error:
        return problem(f"the decoder PyAV does not load: {error}", "pip install 'simhand[data]'")
    missing = [codec for codec in _CODECS if not _decodes(Codec, codec)]
    if missing:
        return warning(f"PyAV {av.__version__} cannot decode {', '.join(missing)}", "videos of this kind will fail")
    return ok(f"PyAV {av.__version__} decodes {', '.join(_CODECS)}")


def _decodes(codec: type, name: str) -> bool:
    try:
        codec(name, "r")
    except ValueError:  # what PyAV raises of an unknown codec is one of these
        return False
    return True


def _importable(module: str, called: str, advice: str) -> Finding:
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        return problem(f"{called} does not load: {error}", advice)
    return ok(f"{called} {getattr(loaded, '__version__', 'loads')}")


def _hand_model(settings: KeypointSettings) -> Finding:
    try:
        if settings.model is None:
            with tempfile.TemporaryDirectory() as folder:
                build_task_file(Path(folder) / "hand_landmarker.task")
            return ok("MediaPipe's hand model is in its package")
        if settings.sha256:
            check_sha256(settings.model, settings.sha256)
    except SimhandError as error:
        return problem(f"MediaPipe's hand model: {error.what}", "pip install mediapipe==0.10.21")
    return ok(f"the hand model {settings.model}")


def _detector(settings: DetectionSettings) -> Finding:
    if settings.detector == "mediapipe" or settings.weights is None:
        return ok("MediaPipe finds the hands; hundred_doh, the paper's detector, is not configured")
    try:
        checked_sha256(settings.weights, settings.sha256)
    except SimhandError as error:
        return problem(error.what, "docs/detection.md tells where the file comes from")
    known = "with the configured sha256" if settings.sha256 else "whose content is not checked (detection.sha256)"
    return ok(f"the 100DOH detector's weights are there, {known}: {settings.weights}")
