"""Predicts and draws the hands in the user's own images and videos."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from simhand.errors import InputError, VideoError
from simhand.files import whole_file
from simhand.frames.playback import Playback, ShownFrame
from simhand.hands.detector import HandDetector
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.model import build_task_file
from simhand.prediction.drawing import draw_frame
from simhand.prediction.film import film
from simhand.prediction.hands import FoundHand, Predictor
from simhand.prediction.inputs import Input, find_inputs, read_picture, text_of
from simhand.prediction.settings import PredictionSettings
from simhand.prediction.tables import FrameHands, rows_of, write_joints
from simhand.progress import Progress

log = logging.getLogger(__name__)

_AT_ONCE = 8  # frames that detector and model are given
_PLACES = 2  # hands that a video has room for beside its picture
_JPEG_QUALITY = 92


@dataclass
class Outcome:
    """What came of one input."""

    source: str  # the file as it was named
    drawn: str | None = None  # name of its drawing; None: nothing of it could be read
    width: int = 0  # pixels
    height: int = 0
    frames: int = 0
    hands: int = 0
    problem: str | None = None  # why it was not read, or not to its end
    rows: list[pa.RecordBatch] = field(default_factory=list, repr=False)  # of HAND_JOINTS


def predict(paths: Sequence[Path], model: Path, out: Path, settings: PredictionSettings) -> list[Outcome]:
    """Predicts the hands in images and videos, and writes joints.json, joints.parquet and a drawing of each input.

    An input that cannot be read, or not to its end, costs what is missing of it and no more; its outcome tells. Where
    something ends it all, the joints of the inputs that were done are written nevertheless.

    Args:
        paths: files, and folders of files.
        model: that fine-tuning wrote.
        out: a folder; what lies there under the same names is replaced.
        settings: what is assumed, and which frames are taken.

    Raises:
        InputError: a path leads nowhere, a folder has nothing to predict, or `out` is the folder of an input, is no
            folder, or cannot be written to.
        WeightsError: the model cannot be used.
        ConfigError: a GPU is wanted and there is none.
    """
    inputs = find_inputs(paths, out)
    with tempfile.TemporaryDirectory() as scratch:
        task = Path(scratch) / "hand_landmarker.task"
        build_task_file(task)
        predictor = Predictor(model, settings)
        with MediaPipeDetector(settings.detection, task) as detector:
            return _predict_all(inputs, _Eye(detector, predictor), out)


@dataclass(frozen=True)
class _Eye:
    """Sees hands: finds them, then looks at each."""

    detector: HandDetector
    predictor: Predictor

    def hands_in(self, frames: Sequence[np.ndarray]) -> list[list[FoundHand]]:
        return self.predictor.hands_in(frames, self.detector.detect(frames))

    @property
    def settings(self) -> PredictionSettings:
        return self.predictor.settings


def _predict_all(inputs: Sequence[Input], eye: _Eye, out: Path) -> list[Outcome]:
    """Predicts one input after the other; whatever comes between, joints are written of those that were done."""
    outcomes: list[Outcome] = []
    try:
        for number, one in enumerate(inputs, start=1):
            if len(inputs) > 1:
                log.info("%d of %d: %s", number, len(inputs), text_of(one.path))
            outcomes.append(_predict_one(one, eye, out))
    finally:
        if outcomes:
            _write(outcomes, inputs, eye.predictor, out)
    return outcomes


def _predict_one(one: Input, eye: _Eye, out: Path) -> Outcome:
    outcome = Outcome(text_of(one.path))
    try:
        (_image if one.kind == "image" else _video)(one, eye, out, outcome)
        outcome.drawn = one.drawn
    except (InputError, VideoError) as error:
        outcome.problem = str(error)
        (out / one.drawn).unlink(missing_ok=True)  # of an earlier call
    if outcome.problem:
        log.error("%s", outcome.problem)
    if outcome.drawn:
        frames = f" in {outcome.frames:,} frames" if one.kind == "video" else ""
        log.info("%s: %s%s, drawn in %s", outcome.source, _count(outcome.hands), frames, out / one.drawn)
    return outcome


def _count(hands: int) -> str:
    return f"{hands:,} hand{'s' if hands > 1 else ''}" if hands else "no hand"


def _image(one: Input, eye: _Eye, out: Path, outcome: Outcome) -> None:
    rgb = read_picture(one.path)
    (hands,) = eye.hands_in([rgb])
    _note(outcome, [ShownFrame(0, 0.0, rgb)], [hands])
    drawn = Image.fromarray(draw_frame(rgb, hands, eye.settings.bone_mm, places=len(hands)))
    with whole_file(out / one.drawn) as temporary:
        drawn.save(temporary, "JPEG", quality=_JPEG_QUALITY, subsampling=0)


def _video(one: Input, eye: _Eye, out: Path, outcome: Outcome) -> None:
    playback = Playback(one.path, eye.settings.fps)
    places = min(_PLACES, eye.settings.detection.max_hands)
    with film(out / one.drawn) as drawn, Progress("frames", len(playback)) as progress:
        for frames in _parts(playback, _AT_ONCE):
            found = eye.hands_in([frame.rgb for frame in frames])
            _note(outcome, frames, found)
            for frame, hands in zip(frames, found, strict=True):
                drawn.add(draw_frame(frame.rgb, hands, eye.settings.bone_mm, places), frame.timestamp_s)
                progress.advance(hands=len(hands))
        if not outcome.frames:
            raise VideoError("a video without frames", where=one.path, got=playback.damage or None)
    if playback.damage:
        hint = "what could be decoded is drawn"
        outcome.problem = str(VideoError("a damaged video", where=one.path, got=playback.damage, hint=hint))


def _parts(frames: Iterable[ShownFrame], count: int) -> Iterator[list[ShownFrame]]:
    waiting = iter(frames)
    while part := list(islice(waiting, count)):
        yield part


def _note(outcome: Outcome, frames: Sequence[ShownFrame], found: Sequence[list[FoundHand]]) -> None:
    outcome.height, outcome.width = frames[-1].rgb.shape[:2]
    outcome.frames += len(frames)
    outcome.hands += sum(len(hands) for hands in found)
    pairs = zip(frames, found, strict=True)
    rows = rows_of(outcome.source, [FrameHands(one.frame_index, one.timestamp_s, hands) for one, hands in pairs])
    if len(rows):
        outcome.rows.append(rows)


def _write(outcomes: Sequence[Outcome], inputs: Sequence[Input], predictor: Predictor, out: Path) -> None:
    """Writes the joints of the first inputs, those with outcomes, and tells if others are missing."""
    missing = [text_of(one.path) for one in inputs[len(outcomes) :]]
    if missing:
        last = outcomes[-1].source
        log.warning("joints are written of %s of %s inputs, the last of them %s", len(outcomes), len(inputs), last)
    facts = _facts(outcomes, missing, predictor)
    write_joints([rows for one in outcomes for rows in one.rows], facts, out)


def _facts(outcomes: Sequence[Outcome], missing: Sequence[str], predictor: Predictor) -> dict[str, Any]:
    """What joints.json tells besides the hands."""
    files = [{name: value for name, value in vars(one).items() if name != "rows"} for one in outcomes]
    assumed = predictor.settings.model_dump(mode="json", exclude={"device"})
    return {"files": files, "missing": missing, "settings": assumed, "model": predictor.card}
