"""The embedded demo: videos of hands, what is true in them, and a labelled set, rendered into one folder.

    videos/person_000.mp4 ...   each of its own person
    videos/no_hand.mp4          an empty room
    videos/truncated.mp4        half a file, which cannot be decoded
    truth/hands.parquet         exact keypoints (`simhand.synthetic.truth`)
    labelled/                   FreiHAND's layout, of persons that no video shows
    labelled_dexycb/            DexYCB's layout, left hands too
    labelled_assemblyhands/     AssemblyHands' layout, both hands
    truth/labelled.parquet      exact keypoints of the labelled sets
    demo.json                   what it was rendered with; written last

While it is rendered, `.parts/` holds one file for each finished piece of work: an interrupted run goes on from there.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from simhand.errors import ConfigError
from simhand.files import read_parquet, write_json, write_parquet
from simhand.fingerprint import code_fingerprint
from simhand.synthetic.assemblyhands import write_annotations, write_skeleton
from simhand.synthetic.dexycb import write_calibration
from simhand.synthetic.freihand import write_labels
from simhand.synthetic.hand_cache import model_file
from simhand.synthetic.settings import DemoSettings
from simhand.synthetic.tasks import (
    Film,
    Layout,
    Portraits,
    Recording,
    Split,
    film_tasks,
    perform,
    portrait_tasks,
    recording_tasks,
)
from simhand.synthetic.truth import LABELLED_TRUTH, TRUTH, labelled_truth_table
from simhand.synthetic.video import write_truncated

_log = logging.getLogger(__name__)

_Labelled = dict[str, dict[Split, Sequence[Portraits | Recording]]]

_OURS = (
    "videos/person_*.mp4",
    "videos/no_hand.mp4",
    "videos/truncated.mp4",
    "truth/hands.parquet",
    "labelled/*_*.json",
    "labelled/*/rgb/*.jpg",
    "truth/labelled.parquet",
    "labelled_dexycb/calibration/*/*.yml",
    "labelled_dexycb/*-subject-*/*/meta.yml",
    "labelled_dexycb/*-subject-*/*/*/*_*",
    "labelled_assemblyhands/annotations/skeleton.txt",
    "labelled_assemblyhands/annotations/*/assemblyhands_*.json",
    "labelled_assemblyhands/images/*/*/*/*/*.jpg",
)


def render_demo(out: Path, settings: DemoSettings, jobs: int) -> None:
    """Renders the demo into a folder; a finished one of the same settings is left as it is.

    Args:
        out: the folder, new or empty or with an earlier demo, which is replaced if its settings were others.
        settings: how much; the same settings give the same files.
        jobs: processes.

    Raises:
        ConfigError: the folder holds something else.
    """
    code = code_fingerprint(Path(__file__))
    made_with = {"settings": settings.values(), "code": code, "anny": version("anny")}
    if _is_finished(out, made_with):
        _log.info("the demo in %s is finished", out)
        return
    parts = _prepare(out, made_with)
    films = film_tasks(out, parts, settings)
    labelled = _labelled_tasks(out, parts, settings)
    pictures = [task for splits in labelled.values() for tasks in splits.values() for task in tasks]
    perform([*films, *pictures], settings, model_file(parts), jobs)
    _gather(out, films)
    _gather_labelled(out, labelled)
    write_json({**made_with, "files": _sizes(out)}, out / "demo.json")
    shutil.rmtree(parts)
    _log.info("rendered %d videos and %d labelled sets", settings.videos, len(labelled))


def _labelled_tasks(out: Path, parts: Path, settings: DemoSettings) -> _Labelled:
    """The labelled sets' pictures, by folder and split; sets without any are left out."""
    splits: tuple[Split, ...] = get_args(Split)
    labelled: _Labelled = {"labelled": {split: portrait_tasks(out, parts, settings, split) for split in splits}}
    for layout in get_args(Layout):
        recordings: dict[Split, Sequence[Portraits | Recording]] = {
            split: recording_tasks(out, parts, settings, layout, split) for split in splits
        }
        if any(recordings.values()):
            labelled[f"labelled_{layout}"] = recordings
    return labelled


def _is_finished(out: Path, made_with: dict[str, Any]) -> bool:
    demo = _read_json(out / "demo.json")
    return demo.pop("files", None) == _sizes(out) and demo == made_with


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _sizes(out: Path) -> dict[str, int]:
    return {path.relative_to(out).as_posix(): path.stat().st_size for path in _files(out)}


def _files(out: Path) -> list[Path]:
    return [path for pattern in _OURS for path in out.glob(pattern)]


def _prepare(out: Path, made_with: dict[str, Any]) -> Path:
    """The folder of finished parts; those of other settings or code are thrown away with all that was made of them."""
    parts = out / ".parts"
    mark = parts / "demo.json"
    if _read_json(mark) != made_with:
        _check_ours(out, mark)
        for path in (*_files(out), *parts.glob("*_*")):
            path.unlink()
        write_json(made_with, mark)
        (out / "demo.json").unlink(missing_ok=True)  # last: with neither of the two, the folder would look foreign
    return parts


def _check_ours(out: Path, mark: Path) -> None:
    ours = (out / "demo.json").is_file() or mark.is_file()
    if out.exists() and any(out.iterdir()) and not ours:
        hint = "name a new or an empty folder"
        raise ConfigError("will not render the demo into a folder that holds something else", where=out, hint=hint)


def _gather(out: Path, films: list[Film]) -> None:
    tables = [read_parquet(film.part, TRUTH) for film in films]
    write_parquet(pa.concat_tables(tables), out / "truth" / "hands.parquet", TRUTH)
    write_truncated(out / "videos" / "truncated.mp4", films[0].video)


def _gather_labelled(out: Path, labelled: _Labelled) -> None:
    """Writes what no piece of work can write alone: label files of whole splits, calibration, truth."""
    tables = []
    for folder, splits in labelled.items():
        parts = {split: [task.part for task in tasks] for split, tasks in splits.items()}
        _write_set_files(out / folder, parts)
        rows = [row for paths in parts.values() for path in paths for row in _read_json(path)["truth"]]
        tables.append(labelled_truth_table(folder, rows))
    write_parquet(pa.concat_tables(tables), out / "truth" / "labelled.parquet", LABELLED_TRUTH)


def _write_set_files(root: Path, parts: dict[Split, list[Path]]) -> None:
    for split, paths in parts.items():
        if root.name == "labelled":
            write_labels(root, split, paths)
        elif root.name == "labelled_assemblyhands":
            write_annotations(root, split, paths)
    if root.name == "labelled_assemblyhands":
        write_skeleton(root)
    elif root.name == "labelled_dexycb":
        write_calibration(root)
